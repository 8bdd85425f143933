// SPDX-License-Identifier: MIT
//! A channel: SRI's own client state behind one face for both kinds, and what the pool has said of its shares.

use std::collections::BTreeMap;

use stratum_core::bitcoin::Target;
use stratum_core::channels_sv2::client::extended::ExtendedChannel;
use stratum_core::channels_sv2::client::share_accounting::{
    ShareAccounting, ShareValidationError, ShareValidationResult,
};
use stratum_core::channels_sv2::client::standard::StandardChannel;
use stratum_core::mining_sv2::{
    NewExtendedMiningJobOwned, NewMiningJobOwned, SetNewPrevHashOwned, SubmitSharesExtendedOwned,
    SubmitSharesStandard, SubmitSharesSuccess,
};
use stratum_core::parsers_sv2::MiningOwned;

use crate::work::{check_coinbase, extended_job, standard_job, Job, Share, Want};

pub enum State {
    Standard(StandardChannel),
    Extended(ExtendedChannel),
}

/// The same for both kinds, on SRI's state.
macro_rules! both {
    ($state:expr, $channel:ident => $do:expr) => {
        match $state {
            State::Standard($channel) => $do,
            State::Extended($channel) => $do,
        }
    };
}

/// An error of SRI's as text.
pub fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// What came, in its order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    FutureJob,
    Job,
    Tip,
    Target,
}

pub struct Channel {
    pub id: u32,
    pub group: u32,
    pub state: State,
    pub heard: Vec<Heard>,
    /// Sequence number -> what the pool said; empty while it has not.
    pub verdicts: BTreeMap<u32, String>,
    rolled: u32,
}

pub fn code_of(result: &Result<ShareValidationResult, ShareValidationError>) -> String {
    use ShareValidationError::*;
    match result {
        Ok(ShareValidationResult::Valid(_)) => "share".into(),
        Ok(ShareValidationResult::BlockFound(_)) => "block".into(),
        Err(Invalid(code) | Stale(code) | InvalidJobId(code) | DoesNotMeetTarget(code))
        | Err(VersionRollingNotAllowed(code) | DuplicateShare(code) | BadExtranonceSize(code)) => {
            (*code).into()
        }
        Err(NoChainTip) => "no chain tip".into(),
    }
}

impl Channel {
    pub fn new(id: u32, group: u32, state: State) -> Channel {
        Channel { id, group, state, heard: Vec::new(), verdicts: BTreeMap::new(), rolled: 0 }
    }

    pub fn job(&self) -> Result<Job, String> {
        match &self.state {
            State::Standard(channel) => standard_job(channel),
            State::Extended(channel) => extended_job(channel, u64::from(self.rolled)),
        }
        .ok_or_else(|| format!("channel {} has no work", self.id))
    }

    /// A share of the job in work; no two are the same.
    pub fn dig(&mut self, want: Want) -> Result<Share, String> {
        self.rolled += 1;
        self.job()?.dig(want, self.rolled << 20, self.rolled << 5)
    }

    pub fn target(&self) -> Target {
        both!(&self.state, channel => *channel.get_target())
    }

    pub fn accounting(&self) -> &ShareAccounting {
        both!(&self.state, channel => channel.get_share_accounting())
    }

    /// The message that submits the share, and SRI's own verdict on it.
    pub fn submission(&mut self, share: &Share) -> (u32, MiningOwned, String) {
        let sequence_number = self.verdicts.len() as u32;
        self.verdicts.insert(sequence_number, String::new());
        let &Share { job_id, nonce, ntime, version, .. } = share;
        let channel_id = self.id;
        match &mut self.state {
            State::Standard(channel) => {
                let m = SubmitSharesStandard { channel_id, sequence_number, job_id, nonce, ntime, version };
                let verdict = code_of(&channel.validate_share(m.clone()));
                (sequence_number, MiningOwned::SubmitSharesStandard(m), verdict)
            }
            State::Extended(channel) => {
                let extranonce = share.extranonce.clone().try_into().expect("at most 32 bytes");
                let m = SubmitSharesExtendedOwned {
                    channel_id,
                    sequence_number,
                    job_id,
                    nonce,
                    ntime,
                    version,
                    extranonce,
                };
                let verdict = code_of(&channel.validate_share(m.clone()));
                (sequence_number, MiningOwned::SubmitSharesExtended(m), verdict)
            }
        }
    }

    pub fn on_job(&mut self, job: NewMiningJobOwned) -> Result<(), String> {
        self.hear_job(job.job_id, job.min_ntime.as_ref().is_none())?;
        match &mut self.state {
            State::Standard(channel) => channel.on_new_mining_job(job).map_err(told),
            State::Extended(_) => Err("NewMiningJob for an extended channel".into()),
        }
    }

    /// `to_group`: the whole group hears it, and a standard channel makes its own job out of it.
    pub fn on_extended_job(&mut self, job: NewExtendedMiningJobOwned, to_group: bool) -> Result<(), String> {
        self.hear_job(job.job_id, job.min_ntime.as_ref().is_none())?;
        let size = match &self.state {
            State::Standard(channel) => channel.get_extranonce_prefix().len(),
            State::Extended(channel) => channel.get_full_extranonce_size(),
        };
        check_coinbase(job.coinbase_tx_prefix.as_bytes(), size, job.coinbase_tx_suffix.as_bytes())?;
        match &mut self.state {
            State::Standard(_) if !to_group => Err("NewExtendedMiningJob for a standard channel".into()),
            State::Standard(channel) => channel.on_new_group_channel_job(job).map_err(told),
            State::Extended(channel) => channel.on_new_extended_mining_job(job).map_err(told),
        }
    }

    /// No job may have the id of another one that is still valid.
    fn hear_job(&mut self, id: u32, future: bool) -> Result<(), String> {
        let known = both!(&self.state, channel => {
            channel.get_future_job(id).is_some()
                || channel.get_past_job(id).is_some()
                || channel.get_active_job().is_some_and(|job| job.job_message.job_id == id)
        });
        if known {
            return Err(format!("channel {}: job id {id} names two jobs", self.id));
        }
        self.heard.push(if future { Heard::FutureJob } else { Heard::Job });
        Ok(())
    }

    /// SRI refuses a job that was not sent before as a future one.
    pub fn on_tip(&mut self, tip: SetNewPrevHashOwned) -> Result<(), String> {
        self.heard.push(Heard::Tip);
        both!(&mut self.state, channel => channel.on_set_new_prev_hash(tip).map_err(told))
    }

    pub fn on_target(&mut self, target: Target) -> Result<(), String> {
        self.heard.push(Heard::Target);
        both!(&mut self.state, channel => channel.set_target(target).map_err(told))
    }

    /// Counts are per message: they must be those of the shares that it is the first to tell of.
    pub fn on_accepted(&mut self, m: &SubmitSharesSuccess) -> Result<(), String> {
        let mut count = 0;
        for (_, verdict) in self.verdicts.range_mut(..=m.last_sequence_number) {
            if verdict.is_empty() {
                *verdict = "accepted".into();
                count += 1;
            }
        }
        if count != m.new_submits_accepted_count {
            return Err(format!("{count} shares newly accepted, but it says {m:?}"));
        }
        both!(&mut self.state, channel => channel.on_share_acknowledgement(count, m.new_shares_sum));
        Ok(())
    }

    pub fn on_refused(&mut self, sequence: u32, code: &str) -> Result<(), String> {
        match self.verdicts.get_mut(&sequence) {
            Some(verdict) if verdict.is_empty() => *verdict = code.into(),
            _ => return Err(format!("an error for share {sequence}, which does not wait for one")),
        }
        both!(&mut self.state, channel => channel.on_share_rejection(code));
        Ok(())
    }
}
