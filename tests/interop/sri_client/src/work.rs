// SPDX-License-Identifier: MIT
//! From SRI's channel state to a header, and from there to a share of the wanted kind.

use stratum_core::bitcoin::block::{Header, Version};
use stratum_core::bitcoin::consensus::deserialize;
use stratum_core::bitcoin::hashes::Hash;
use stratum_core::bitcoin::{BlockHash, CompactTarget, Target, Transaction, TxMerkleNode};
use stratum_core::channels_sv2::client::extended::ExtendedChannel;
use stratum_core::channels_sv2::client::standard::StandardChannel;
use stratum_core::channels_sv2::merkle_root::merkle_root_from_path;
use stratum_core::channels_sv2::VERSION_ROLLING_MASK;

const TRIES: u32 = 5_000_000;

/// Which hash is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// Meets the job's target and is no block.
    Share,
    /// Meets the network's target.
    Block,
    /// Does not meet the job's target.
    Weak,
    /// Meets the job's target, but not this one, and is no block.
    Above(Target),
}

#[derive(Clone, Debug)]
pub struct Share {
    pub job_id: u32,
    pub nonce: u32,
    pub ntime: u32,
    pub version: u32,
    pub extranonce: Vec<u8>,
    /// As nodes print it.
    pub hash: String,
}

/// What of a header stays the same while a miner rolls.
pub struct Job {
    pub id: u32,
    pub version: u32,
    pub prev_hash: [u8; 32],
    pub merkle_root: [u8; 32],
    pub ntime: u32,
    pub bits: u32,
    pub target: Target,
    pub extranonce: Vec<u8>,
}

impl Job {
    /// `roll` chooses the version bits that a miner may choose.
    pub fn dig(&self, want: Want, first_nonce: u32, roll: u32) -> Result<Share, String> {
        let network = Target::from_compact(CompactTarget::from_consensus(self.bits));
        let version = (self.version & !VERSION_ROLLING_MASK) | (roll & VERSION_ROLLING_MASK);
        let mut header = Header {
            version: Version::from_consensus(version as i32),
            prev_blockhash: BlockHash::from_byte_array(self.prev_hash),
            merkle_root: TxMerkleNode::from_byte_array(self.merkle_root),
            time: self.ntime,
            bits: CompactTarget::from_consensus(self.bits),
            nonce: first_nonce,
        };
        for _ in 0..TRIES {
            let hash = header.block_hash();
            let number = Target::from_le_bytes(hash.to_byte_array());
            let block = network.is_met_by(hash);
            let found = match want {
                Want::Block => block,
                Want::Share => !block && number < self.target,
                Want::Weak => !block && number > self.target,
                Want::Above(limit) => !block && number < self.target && number > limit,
            };
            if found {
                return Ok(Share {
                    job_id: self.id,
                    nonce: header.nonce,
                    ntime: self.ntime,
                    version,
                    extranonce: self.extranonce.clone(),
                    hash: hash.to_string(),
                });
            }
            header.nonce = header.nonce.wrapping_add(1);
        }
        Err(format!("no {want:?} in {TRIES} tries"))
    }
}

pub fn standard_job(channel: &StandardChannel) -> Option<Job> {
    let (job, tip) = (channel.get_active_job()?, channel.get_chain_tip()?);
    Some(Job {
        id: job.job_message.job_id,
        version: job.job_message.version,
        prev_hash: tip.prev_hash().to_array(),
        merkle_root: job.job_message.merkle_root.to_array(),
        ntime: *job.job_message.min_ntime.as_ref()?,
        bits: tip.nbits(),
        target: job.target,
        extranonce: Vec::new(),
    })
}

pub fn extended_job(channel: &ExtendedChannel, roll: u64) -> Option<Job> {
    let (job, tip) = (channel.get_active_job()?, channel.get_chain_tip()?);
    let size = channel.get_rollable_extranonce_size() as usize;
    let mut extranonce = roll.to_le_bytes().to_vec();
    extranonce.resize(size, 0);
    let full = [job.extranonce_prefix.as_slice(), &extranonce].concat();
    let message = &job.job_message;
    let merkle_root = merkle_root_from_path(
        message.coinbase_tx_prefix.as_bytes(),
        message.coinbase_tx_suffix.as_bytes(),
        &full,
        message.merkle_path.as_slice(),
    )?;
    Some(Job {
        id: message.job_id,
        version: message.version,
        prev_hash: tip.prev_hash().to_array(),
        merkle_root,
        ntime: *message.min_ntime.as_ref()?,
        bits: tip.nbits(),
        target: job.target,
        extranonce,
    })
}

/// The coinbase of an extended job as rust-bitcoin reads it: one null input, no witness, a scriptSig of legal size.
pub fn check_coinbase(prefix: &[u8], extranonce_size: usize, suffix: &[u8]) -> Result<(), String> {
    let bytes = [prefix, &vec![0; extranonce_size], suffix].concat();
    let coinbase: Transaction = deserialize(&bytes).map_err(|e| format!("coinbase: {e}"))?;
    let script = coinbase.input.first().map_or(0, |input| input.script_sig.len());
    if !coinbase.is_coinbase() || !(2..=100).contains(&script) || coinbase.output.is_empty() {
        return Err(format!("coinbase: {coinbase:?}"));
    }
    if coinbase.input.iter().any(|input| !input.witness.is_empty()) {
        return Err("coinbase: a witness in an extended job".into());
    }
    Ok(())
}
