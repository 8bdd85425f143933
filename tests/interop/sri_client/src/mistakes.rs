// SPDX-License-Identifier: MIT
//! What a miner does wrong, mode by mode: the pool's answer, and that it does no harm beyond it.

use stratum_core::binary_sv2::Seq0255Owned;
use stratum_core::common_messages_sv2::Protocol;
use stratum_core::mining_sv2::{SetCustomMiningJobOwned, SubmitSharesStandard};
use stratum_core::parsers_sv2::{AnyMessageOwned, CommonMessagesOwned, MiningOwned};

use crate::link::{Link, LinkError};
use crate::miner::{
    setup_message, Miner, Place, EASIEST, PATIENCE, REQUIRES_STANDARD_JOBS, REQUIRES_WORK_SELECTION,
};
use crate::work::{Share, Want};

/// SRI's demo key: never that of a pool under test.
const OTHER_AUTHORITY: &str = "9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72";

pub fn wrong_key(place: &Place) -> Result<(), String> {
    match Link::open(&place.address, OTHER_AUTHORITY) {
        Err(LinkError::Refused(why)) if why.contains("InvalidCertificate") => Ok(()),
        Err(other) => Err(format!("{other:?}")),
        Ok(_) => Err("SRI accepts a certificate of another authority".into()),
    }
}

fn ends(miner: &mut Miner) -> Result<(), String> {
    match miner.link.receive(PATIENCE) {
        Err(LinkError::Closed) => Ok(()),
        other => Err(format!("the pool does not close but: {other:?}")),
    }
}

pub fn wrong_tag(place: &Place) -> Result<(), String> {
    let mut miner = Miner::connect(place)?;
    miner.link.send_damaged(setup_message(Protocol::MiningProtocol, (2, 2), 0))?;
    ends(&mut miner)?;
    let mut miner = Miner::ready(place, 0)?;
    let opening = miner.opening("tag", false, 0, EASIEST);
    miner.link.send_damaged(AnyMessageOwned::Mining(opening))?;
    ends(&mut miner)
}

pub fn wrong_first(place: &Place) -> Result<(), String> {
    let mut miner = Miner::connect(place)?;
    let opening = miner.opening("first", false, 0, EASIEST);
    miner.link.send(AnyMessageOwned::Mining(opening))?;
    ends(&mut miner)
}

fn refused_setup(
    place: &Place,
    protocol: Protocol,
    versions: (u16, u16),
    flags: u32,
) -> Result<(u32, String), String> {
    let mut miner = Miner::connect(place)?;
    miner.link.send(setup_message(protocol, versions, flags))?;
    match miner.answer()? {
        AnyMessageOwned::Common(CommonMessagesOwned::SetupConnectionError(m)) => {
            ends(&mut miner)?;
            Ok((m.flags, m.error_code.as_utf8_or_hex()))
        }
        other => Err(format!("{other:?}")),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(is: T, expected: T) -> Result<(), String> {
    if is == expected {
        Ok(())
    } else {
        Err(format!("{is:?} instead of {expected:?}"))
    }
}

pub fn wrong_protocol(place: &Place) -> Result<(), String> {
    for protocol in [Protocol::JobDeclarationProtocol, Protocol::TemplateDistributionProtocol] {
        same(refused_setup(place, protocol, (2, 2), 0)?, (0, "unsupported-protocol".to_string()))?;
    }
    Ok(())
}

pub fn wrong_version(place: &Place) -> Result<(), String> {
    for versions in [(3, 4), (1, 1)] {
        let answer = refused_setup(place, Protocol::MiningProtocol, versions, 0)?;
        same(answer, (0, "protocol-version-mismatch".to_string()))?;
    }
    Ok(())
}

/// The answer names exactly the flags that are not supported.
pub fn wrong_flags(place: &Place) -> Result<(), String> {
    for (flags, unsupported) in [(REQUIRES_WORK_SELECTION, 2), (0xffff_ffff, 0xffff_fffa), (1 << 31, 1 << 31)]
    {
        let answer = refused_setup(place, Protocol::MiningProtocol, (2, 2), flags)?;
        same(answer, (unsupported, "unsupported-feature-flags".to_string()))?;
    }
    Ok(())
}

/// A channel of either kind, one wrong share on it, and a good one after that.
fn wrong_share(
    place: &Place,
    code: &str,
    make: impl Fn(&mut Miner, u32) -> Result<Share, String>,
) -> Result<(), String> {
    for extended in [false, true] {
        let mut miner = Miner::ready(place, if extended { 0 } else { REQUIRES_STANDARD_JOBS })?;
        let id = miner.open("wrong", extended, 4)?;
        miner.mine(id, 1)?;
        let share = make(&mut miner, id)?;
        miner.judge(id, &share, code)?;
        miner.mine(id, 1)?;
    }
    Ok(())
}

pub fn stale(place: &Place) -> Result<(), String> {
    wrong_share(place, "stale-share", |miner, id| {
        let share = miner.dig(id, Want::Share)?;
        miner.mine_block(id)?;
        Ok(share)
    })
}

pub fn duplicate(place: &Place) -> Result<(), String> {
    wrong_share(place, "duplicate-share", |miner, id| {
        let share = miner.dig(id, Want::Share)?;
        miner.judge(id, &share, "accepted")?;
        Ok(share)
    })
}

pub fn low_difficulty(place: &Place) -> Result<(), String> {
    wrong_share(place, "difficulty-too-low", |miner, id| miner.dig(id, Want::Weak))
}

pub fn unknown_job(place: &Place) -> Result<(), String> {
    wrong_share(place, "invalid-job-id", |miner, id| {
        let share = miner.dig(id, Want::Share)?;
        Ok(Share { job_id: share.job_id + 100_000, ..share })
    })
}

pub fn version_bits(place: &Place) -> Result<(), String> {
    wrong_share(place, "invalid-non-rollable-version-bit", |miner, id| {
        let share = miner.dig(id, Want::Share)?;
        Ok(Share { version: share.version ^ 1, ..share })
    })
}

pub fn old_ntime(place: &Place) -> Result<(), String> {
    wrong_share(place, "invalid-share", |miner, id| {
        let mut job = miner.channels[&id].job()?;
        job.ntime -= 1;
        job.dig(Want::Share, 77, 0)
    })
}

pub fn extranonce_size(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let id = miner.open("sizes", true, 4)?;
    for change in [-1, 1] {
        let mut share = miner.dig(id, Want::Share)?;
        share.extranonce.resize((share.extranonce.len() as i32 + change) as usize, 0);
        miner.judge(id, &share, "bad-extranonce-size")?;
        miner.mine(id, 1)?;
    }
    Ok(())
}

fn refused_opening(miner: &mut Miner, message: MiningOwned) -> Result<String, String> {
    miner.link.send(AnyMessageOwned::Mining(message))?;
    match miner.answer()? {
        AnyMessageOwned::Mining(MiningOwned::OpenMiningChannelError(m)) => Ok(m.error_code.as_utf8_or_hex()),
        other => Err(format!("{other:?}")),
    }
}

pub fn openings(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, REQUIRES_STANDARD_JOBS)?;
    let extended = miner.opening("x", true, 0, EASIEST);
    let code = refused_opening(&mut miner, extended)?;
    same(code.as_str(), "extended-channels-not-supported-for-standard-jobs")?;

    let mut miner = Miner::ready(place, 0)?;
    let large = miner.opening("x", true, 33, EASIEST);
    same(refused_opening(&mut miner, large)?.as_str(), "min-extranonce-size-too-large")?;
    let none = miner.opening("x", false, 0, [0; 32]);
    same(refused_opening(&mut miner, none)?.as_str(), "max-target-out-of-range")?;
    let known = std::mem::replace(&mut miner.user, "bcrt1qnobody".into());
    let unknown = miner.opening("x", false, 0, EASIEST);
    same(refused_opening(&mut miner, unknown)?.as_str(), "unknown-user")?;
    miner.user = known;
    let id = miner.open("good", true, 0)?;
    miner.mine(id, 1)
}

pub fn unknown_channel(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let id = miner.open("known", false, 0)?;
    let channel_id = id + 1000;
    let m =
        SubmitSharesStandard { channel_id, sequence_number: 3, job_id: 1, nonce: 0, ntime: 0, version: 0 };
    miner.link.send(AnyMessageOwned::Mining(MiningOwned::SubmitSharesStandard(m)))?;
    match miner.answer()? {
        AnyMessageOwned::Mining(MiningOwned::SubmitSharesError(m)) => {
            same((m.channel_id, m.sequence_number), (channel_id, 3))?;
            same(m.error_code.as_utf8_or_hex().as_str(), "invalid-channel-id")?;
        }
        other => return Err(format!("{other:?}")),
    }
    miner.mine(id, 1)
}

pub fn custom_job(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let id = miner.open("custom", true, 0)?;
    let job = SetCustomMiningJobOwned {
        channel_id: id,
        request_id: 9,
        token: Vec::new().try_into().expect("empty"),
        version: 0x2000_0000,
        prev_hash: [0; 32].into(),
        min_ntime: 0,
        nbits: 0,
        coinbase_tx_version: 2,
        coinbase_prefix: vec![0].try_into().expect("short"),
        coinbase_tx_input_n_sequence: 0,
        coinbase_tx_outputs: vec![0].try_into().expect("short"),
        coinbase_tx_locktime: 0,
        merkle_path: Seq0255Owned::new(Vec::new()).expect("empty"),
    };
    miner.link.send(AnyMessageOwned::Mining(MiningOwned::SetCustomMiningJob(job)))?;
    match miner.answer()? {
        AnyMessageOwned::Mining(MiningOwned::SetCustomMiningJobError(m)) => {
            same((m.channel_id, m.request_id), (id, 9))?;
            same(m.error_code.as_utf8_or_hex().as_str(), "jd-not-supported")?;
        }
        other => return Err(format!("{other:?}")),
    }
    miner.mine(id, 1)
}

/// Types that nobody knows are passed over.
pub fn unknown_messages(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let id = miner.open("unknown", true, 0)?;
    for extension in [0x4000_u16, 0x7fff, 0xc000] {
        let header = extension.to_le_bytes();
        miner.link.send_bytes(vec![header[0], header[1], 0x55, 4, 0, 0, 1, 2, 3, 4])?;
        miner.link.send_bytes(vec![header[0], header[1], 0x56, 0, 0, 0])?;
    }
    miner.mine(id, 1)
}
