// SPDX-License-Identifier: MIT
//! A miner with any number of channels: every server message goes into SRI's state, every rule is checked on the way.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde_json::json;
use stratum_core::bitcoin::Target;
use stratum_core::channels_sv2::client::extended::ExtendedChannel;
use stratum_core::channels_sv2::client::group::GroupChannel;
use stratum_core::channels_sv2::client::standard::StandardChannel;
use stratum_core::channels_sv2::extranonce_manager::ExtranoncePrefix;
use stratum_core::common_messages_sv2::{Protocol, SetupConnectionOwned};
use stratum_core::mining_sv2::{
    NewExtendedMiningJobOwned, OpenExtendedMiningChannelOwned, OpenStandardMiningChannelOwned,
    SetNewPrevHashOwned,
};
use stratum_core::parsers_sv2::{AnyMessageOwned, CommonMessagesOwned, MiningOwned};

use crate::channel::{told, Channel, Heard, State};
use crate::link::{Link, LinkError};
use crate::work::{Share, Want};

pub const PATIENCE: Duration = Duration::from_secs(15);
pub const REQUIRES_STANDARD_JOBS: u32 = 1;
pub const REQUIRES_WORK_SELECTION: u32 = 2;
pub const REQUIRES_VERSION_ROLLING: u32 = 4;
pub const EASIEST: [u8; 32] = [0xff; 32];

pub struct Place {
    pub address: String,
    pub authority: String,
    pub user: String,
}

pub struct Miner {
    pub link: Link,
    pub user: String,
    pub channels: BTreeMap<u32, Channel>,
    groups: HashMap<u32, GroupChannel>,
    /// Answers that belong to no channel, in their order.
    pub answers: Vec<AnyMessageOwned>,
    requests: u32,
}

pub fn setup_message(protocol: Protocol, versions: (u16, u16), flags: u32) -> AnyMessageOwned {
    let text = |text: &str| text.to_string().try_into().expect("short text");
    AnyMessageOwned::Common(CommonMessagesOwned::SetupConnection(SetupConnectionOwned {
        protocol,
        min_version: versions.0,
        max_version: versions.1,
        flags,
        endpoint_host: text("pool.example"),
        endpoint_port: 3334,
        vendor: text("interop"),
        hardware_version: text("1"),
        firmware: text("sri"),
        device_id: text(""),
    }))
}

impl Miner {
    pub fn connect(place: &Place) -> Result<Miner, String> {
        let link = Link::open(&place.address, &place.authority)?;
        Ok(Miner {
            link,
            user: place.user.clone(),
            channels: BTreeMap::new(),
            groups: HashMap::new(),
            answers: Vec::new(),
            requests: 0,
        })
    }

    /// Connected and set up with these flags.
    pub fn ready(place: &Place, flags: u32) -> Result<Miner, String> {
        let mut miner = Miner::connect(place)?;
        miner.link.send(setup_message(Protocol::MiningProtocol, (2, 2), flags))?;
        match miner.answer()? {
            AnyMessageOwned::Common(CommonMessagesOwned::SetupConnectionSuccess(m))
                if m.used_version == 2 =>
            {
                // REQUIRES_FIXED_VERSION contradicts a client that must roll; extended channels we have.
                if flags & REQUIRES_VERSION_ROLLING != 0 && m.flags & 1 != 0 || m.flags & !3 != 0 {
                    return Err(format!("flags {flags} are answered by {m:?}"));
                }
                Ok(miner)
            }
            other => Err(format!("SetupConnection is answered by {other:?}")),
        }
    }

    /// Opens a channel and waits for its first work: a future job, then the SetNewPrevHash that starts it.
    pub fn open(&mut self, worker: &str, extended: bool, min_extranonce: u16) -> Result<u32, String> {
        let id = self.request(worker, extended, min_extranonce, EASIEST)?;
        self.wait("first work", |m| m.channels[&id].job().is_ok())?;
        if self.channels[&id].heard[..2] != [Heard::FutureJob, Heard::Tip] {
            return Err(format!("channel {id} begins with {:?}", self.channels[&id].heard));
        }
        Ok(id)
    }

    pub fn opening(
        &mut self,
        worker: &str,
        extended: bool,
        min_extranonce: u16,
        max_target: [u8; 32],
    ) -> MiningOwned {
        self.requests += 1;
        let request_id = self.requests;
        let user_identity = format!("{}.{worker}", self.user).try_into().expect("short text");
        let (nominal_hash_rate, max_target) = (0.0, max_target.into());
        if extended {
            MiningOwned::OpenExtendedMiningChannel(OpenExtendedMiningChannelOwned {
                request_id,
                user_identity,
                nominal_hash_rate,
                max_target,
                min_extranonce_size: min_extranonce,
            })
        } else {
            MiningOwned::OpenStandardMiningChannel(OpenStandardMiningChannelOwned {
                request_id,
                user_identity,
                nominal_hash_rate,
                max_target,
            })
        }
    }

    /// Opens a channel; the granted target is never easier than the wish, the granted size never smaller.
    pub fn request(
        &mut self,
        worker: &str,
        extended: bool,
        min_extranonce: u16,
        max_target: [u8; 32],
    ) -> Result<u32, String> {
        let message = self.opening(worker, extended, min_extranonce, max_target);
        self.link.send(AnyMessageOwned::Mining(message))?;
        let prefix = |bytes: &[u8]| ExtranoncePrefix::from_wire(bytes.to_vec()).map_err(told);
        let user = format!("{}.{worker}", self.user);
        let (id, group, request, target, state) = match self.answer()? {
            AnyMessageOwned::Mining(MiningOwned::OpenStandardMiningChannelSuccess(m)) if !extended => {
                let target = Target::from_le_bytes(m.target.to_array());
                let made = StandardChannel::new(
                    m.channel_id,
                    user,
                    prefix(m.extranonce_prefix.as_bytes())?,
                    target,
                    0.0,
                    None,
                );
                let state = State::Standard(made.map_err(told)?);
                (m.channel_id, m.group_channel_id, m.request_id, target, state)
            }
            AnyMessageOwned::Mining(MiningOwned::OpenExtendedMiningChannelSuccess(m)) if extended => {
                if m.extranonce_size < min_extranonce {
                    return Err(format!("{min_extranonce} bytes are answered by {m:?}"));
                }
                let target = Target::from_le_bytes(m.target.to_array());
                let made = ExtendedChannel::new(
                    m.channel_id,
                    user,
                    prefix(m.extranonce_prefix.as_bytes())?,
                    target,
                    0.0,
                    true,
                    m.extranonce_size,
                    None,
                );
                let state = State::Extended(made.map_err(told)?);
                (m.channel_id, m.group_channel_id, m.request_id, target, state)
            }
            other => return Err(format!("opening is answered by {other:?}")),
        };
        if request != self.requests || target > Target::from_le_bytes(max_target) {
            return Err(format!("request {}: answer {request}, target {target:?}", self.requests));
        }
        if id == group || self.channels.contains_key(&id) || self.groups.contains_key(&id) {
            return Err(format!("channel id {id} is taken"));
        }
        let size = match &state {
            State::Standard(channel) => channel.get_extranonce_prefix().len(),
            State::Extended(channel) => channel.get_full_extranonce_size(),
        };
        let members = self.groups.entry(group).or_insert_with(|| GroupChannel::new(group));
        members.add_channel_id(id, size).map_err(told)?;
        self.channels.insert(id, Channel::new(id, group, state));
        Ok(id)
    }

    /// The next message that belongs to no channel.
    pub fn answer(&mut self) -> Result<AnyMessageOwned, String> {
        let already = self.answers.len();
        self.wait("an answer", |miner| miner.answers.len() > already)?;
        Ok(self.answers[already].clone())
    }

    pub fn wait(&mut self, what: &str, done: impl Fn(&Miner) -> bool) -> Result<(), String> {
        self.wait_for(what, PATIENCE, done)
    }

    pub fn wait_for(
        &mut self,
        what: &str,
        within: Duration,
        done: impl Fn(&Miner) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + within;
        while !done(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.link.receive(left).map_err(|e| format!("waiting for {what}: {e:?}"))?;
            self.feed(message)?;
        }
        Ok(())
    }

    /// Takes what comes within this time.
    pub fn listen(&mut self, time: Duration) -> Result<(), String> {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.link.receive(left) {
                Ok(message) => self.feed(message)?,
                Err(LinkError::Silent) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Those that an address names: one channel, or all of a group.
    fn members(&mut self, address: u32) -> Result<Vec<&mut Channel>, String> {
        let found: Vec<_> =
            self.channels.values_mut().filter(|c| c.id == address || c.group == address).collect();
        if found.is_empty() {
            Err(format!("a message for channel {address}"))
        } else {
            Ok(found)
        }
    }

    fn feed(&mut self, message: AnyMessageOwned) -> Result<(), String> {
        let message = match message {
            AnyMessageOwned::Mining(message) => message,
            other => {
                self.answers.push(other);
                return Ok(());
            }
        };
        match message {
            MiningOwned::NewMiningJob(m) => self.one(m.channel_id)?.on_job(m),
            MiningOwned::NewExtendedMiningJob(m) => self.on_extended_job(m),
            MiningOwned::SetNewPrevHash(m) => self.on_tip(m),
            MiningOwned::SetTarget(m) => {
                let target = Target::from_le_bytes(m.maximum_target.to_array());
                self.members(m.channel_id)?.into_iter().try_for_each(|c| c.on_target(target))
            }
            MiningOwned::SubmitSharesSuccess(m) => self.one(m.channel_id)?.on_accepted(&m),
            MiningOwned::SubmitSharesError(m) if self.channels.contains_key(&m.channel_id) => {
                let code = m.error_code.as_utf8_or_hex();
                self.one(m.channel_id)?.on_refused(m.sequence_number, &code)
            }
            other => {
                self.answers.push(AnyMessageOwned::Mining(other));
                Ok(())
            }
        }
    }

    fn one(&mut self, id: u32) -> Result<&mut Channel, String> {
        self.channels.get_mut(&id).ok_or_else(|| format!("a message for channel {id}"))
    }

    fn on_extended_job(&mut self, job: NewExtendedMiningJobOwned) -> Result<(), String> {
        let address = job.channel_id;
        let to_group = self.groups.contains_key(&address);
        if let Some(group) = self.groups.get_mut(&address) {
            group.on_new_extended_mining_job(job.clone());
        }
        self.members(address)?.into_iter().try_for_each(|c| c.on_extended_job(job.clone(), to_group))
    }

    fn on_tip(&mut self, tip: SetNewPrevHashOwned) -> Result<(), String> {
        if let Some(group) = self.groups.get_mut(&tip.channel_id) {
            group.on_set_new_prev_hash(tip.clone()).map_err(|e| format!("group: {e:?}"))?;
        }
        self.members(tip.channel_id)?.into_iter().try_for_each(|c| c.on_tip(tip.clone()))
    }

    pub fn dig(&mut self, id: u32, want: Want) -> Result<Share, String> {
        self.one(id)?.dig(want)
    }

    /// Submits, waits for the pool's verdict, and demands that SRI's own state comes to the same.
    pub fn judge(&mut self, id: u32, share: &Share, expected: &str) -> Result<(), String> {
        let (sequence, message, own) = self.one(id)?.submission(share);
        self.link.send(AnyMessageOwned::Mining(message))?;
        self.wait("a verdict", |miner| !miner.channels[&id].verdicts[&sequence].is_empty())?;
        let verdict = self.channels[&id].verdicts[&sequence].clone();
        println!("{}", json!({"event": "share", "hash": share.hash, "verdict": verdict, "sri": own}));
        let agreed = if own == "share" || own == "block" { "accepted" } else { own.as_str() };
        if verdict != expected || agreed != expected {
            return Err(format!("expected {expected}; the pool says {verdict}, SRI {own}, of {share:?}"));
        }
        Ok(())
    }

    pub fn mine(&mut self, id: u32, count: usize) -> Result<(), String> {
        for _ in 0..count {
            let share = self.dig(id, Want::Share)?;
            self.judge(id, &share, "accepted")?;
        }
        Ok(())
    }

    /// Finds a block and waits until every channel mines on it.
    pub fn mine_block(&mut self, id: u32) -> Result<(), String> {
        let block = self.dig(id, Want::Block)?;
        self.judge(id, &block, "accepted")?;
        println!("{}", json!({"event": "block", "hash": block.hash}));
        self.wait("work on our block", |miner| miner.all_on(&block.hash))
    }

    fn all_on(&self, hash: &str) -> bool {
        let on_it = |channel: &Channel| {
            channel.job().is_ok_and(|job| {
                job.prev_hash.iter().rev().map(|b| format!("{b:02x}")).collect::<String>() == hash
            })
        };
        self.channels.values().all(on_it)
    }
}
