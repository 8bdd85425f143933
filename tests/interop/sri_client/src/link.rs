// SPDX-License-Identifier: MIT
//! One encrypted connection: SRI's handshake with the pinned authority key, SRI's codec, a deadline on every read.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use key_utils::Secp256k1PublicKey;
use stratum_core::codec_sv2::{
    Decoded, Decrypted, Handshake, InitiatorSent, NoiseDecoder, NoiseEncoder, TransportDecryptState,
    TransportEncryptState,
};
use stratum_core::framing_sv2::framing::{MessageFrame, SerializedFrame};
use stratum_core::noise_sv2::Initiator;
use stratum_core::parsers_sv2::{parse_message_frame_with_tlvs, AnyMessageOwned, IsSv2Message};

#[derive(Debug)]
pub enum LinkError {
    /// The other side ended the connection.
    Closed,
    /// Nothing came in time.
    Silent,
    /// What came is not what SRI understands, or it refuses it.
    Refused(String),
}

impl From<LinkError> for String {
    fn from(error: LinkError) -> String {
        format!("{error:?}")
    }
}

fn refused(what: &str, error: impl std::fmt::Debug) -> LinkError {
    LinkError::Refused(format!("{what}: {error:?}"))
}

pub struct Link {
    stream: TcpStream,
    decoder: NoiseDecoder,
    encoder: NoiseEncoder,
    decrypt: Option<TransportDecryptState>,
    encrypt: TransportEncryptState,
    /// What the decoder wants next, and how much of it has come: a read may end in the middle.
    wanted: Vec<u8>,
    filled: usize,
}

impl Link {
    /// Connects and shakes hands. `authority` is the key as a pool prints it.
    pub fn open(address: &str, authority: &str) -> Result<Link, LinkError> {
        let key: Secp256k1PublicKey = authority.parse().map_err(|e| refused("authority key", e))?;
        let mut stream = TcpStream::connect(address).map_err(|e| refused("connect", e))?;
        stream.set_nodelay(true).map_err(|e| refused("socket", e))?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(|e| refused("socket", e))?;

        let initiator = Initiator::from_raw_k(key.into_bytes()).map_err(|e| refused("initiator", e))?;
        let (hello, handshake) =
            Handshake::initiator(initiator).step_0().map_err(|e| refused("step 0", e))?;
        let mut encoder = NoiseEncoder::new();
        let bytes = encoder.encode_handshake(hello);
        stream.write_all(&bytes).map_err(|e| refused("send", e))?;

        let mut decoder = NoiseDecoder::new();
        let answer = loop {
            match decoder.next_handshake_frame::<InitiatorSent>().map_err(|e| refused("answer", e))? {
                Decoded::Frame(message) => break message,
                Decoded::Incomplete(_) => {
                    stream.read_exact(decoder.writable()).map_err(|_| LinkError::Closed)?
                }
            }
        };
        let answer = answer.payload().try_into().map_err(|e| refused("answer's size", e))?;
        let transport = handshake.step_2(answer).map_err(|e| refused("handshake", e))?;
        let (encrypt, decrypt) = transport.split();
        Ok(Link { stream, decoder, encoder, decrypt: Some(decrypt), encrypt, wanted: Vec::new(), filled: 0 })
    }

    pub fn send(&mut self, message: impl Into<AnyMessageOwned>) -> Result<(), LinkError> {
        let bytes = self.encrypted(message.into())?;
        self.stream.write_all(&bytes).map_err(|_| LinkError::Closed)
    }

    /// Encrypts a message, damages the tag of its payload, and sends that.
    pub fn send_damaged(&mut self, message: impl Into<AnyMessageOwned>) -> Result<(), LinkError> {
        let mut bytes = self.encrypted(message.into())?;
        *bytes.last_mut().expect("a tag") ^= 1;
        self.stream.write_all(&bytes).map_err(|_| LinkError::Closed)
    }

    /// A frame that is already bytes: for what SRI's own types cannot say.
    pub fn send_bytes(&mut self, frame: Vec<u8>) -> Result<(), LinkError> {
        let frame = SerializedFrame::from_bytes(frame).map_err(|e| refused("frame", e))?;
        let bytes =
            self.encoder.encode_transport(frame, &mut self.encrypt).map_err(|e| refused("encode", e))?;
        self.stream.write_all(&bytes).map_err(|_| LinkError::Closed)
    }

    fn encrypted(&mut self, message: AnyMessageOwned) -> Result<Vec<u8>, LinkError> {
        let frame = MessageFrame::try_from(message).map_err(|e| refused("frame", e))?;
        let bytes =
            self.encoder.encode_transport(frame, &mut self.encrypt).map_err(|e| refused("encode", e))?;
        Ok(bytes.to_vec())
    }

    /// The next message, or why there is none within that time.
    pub fn receive(&mut self, within: Duration) -> Result<AnyMessageOwned, LinkError> {
        let deadline = Instant::now() + within;
        loop {
            if self.wanted.is_empty() {
                if let Some(message) = self.decode()? {
                    return Ok(message);
                }
            }
            self.fill(deadline)?;
        }
    }

    /// A message, if all of it has come; otherwise notes how many bytes the decoder wants.
    fn decode(&mut self) -> Result<Option<AnyMessageOwned>, LinkError> {
        let state = self.decrypt.take().ok_or(LinkError::Closed)?;
        match self.decoder.next_transport_frame(state).map_err(|e| refused("frame", e))? {
            Decrypted::Incomplete(missing, state) => {
                self.decrypt = Some(state);
                self.wanted = vec![0; missing];
                Ok(None)
            }
            Decrypted::Frame(mut frame, state) => {
                self.decrypt = Some(state);
                let header = frame.header();
                let (message, _) = parse_message_frame_with_tlvs(header, frame.payload(), &[])
                    .map_err(|e| refused("message", e))?;
                if header.channel_msg() != message.channel_bit() {
                    return Err(refused("channel bit", header));
                }
                Ok(Some(message.into_owned()))
            }
        }
    }

    /// Reads what the decoder wants. A time-out in the middle keeps what has come.
    fn fill(&mut self, deadline: Instant) -> Result<(), LinkError> {
        while self.filled < self.wanted.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LinkError::Silent);
            }
            self.stream.set_read_timeout(Some(left)).map_err(|e| refused("socket", e))?;
            match self.stream.read(&mut self.wanted[self.filled..]) {
                Ok(0) => return Err(LinkError::Closed),
                Ok(count) => self.filled += count,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(LinkError::Silent)
                }
                Err(_) => return Err(LinkError::Closed),
            }
        }
        self.decoder.writable().copy_from_slice(&self.wanted);
        self.wanted.clear();
        self.filled = 0;
        Ok(())
    }
}
