// SPDX-License-Identifier: MIT
//! What a well-behaved miner does, mode by mode.

use std::time::Duration;

use serde_json::json;
use stratum_core::binary_sv2::Seq064KOwned;
use stratum_core::bitcoin::Target;
use stratum_core::extensions_sv2::{RequestExtensionsOwned, UserIdentity};
use stratum_core::mining_sv2::{CloseChannelOwned, UpdateChannelOwned};
use stratum_core::parsers_sv2::{
    AnyMessageOwned, ExtensionsNegotiationOwned, ExtensionsOwned, MiningOwned, TlvField, TlvList,
};

use crate::channel::{told, Heard};
use crate::miner::{Miner, Place, EASIEST, PATIENCE, REQUIRES_STANDARD_JOBS, REQUIRES_VERSION_ROLLING};
use crate::work::Want;

/// Asks whoever started this program to do something, and waits until it says that it is done.
fn order(what: &str) -> Result<(), String> {
    println!("{}", json!({"event": "please", "what": what}));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| e.to_string())?;
    if line.trim() == "done" {
        Ok(())
    } else {
        Err(format!("{what}: {line}"))
    }
}

fn shares_and_blocks(mut miner: Miner, id: u32) -> Result<(), String> {
    for _ in 0..2 {
        miner.mine(id, 10)?;
        miner.mine_block(id)?;
    }
    miner.mine(id, 3)?;
    let accounting = miner.channels[&id].accounting();
    let counts = (
        accounting.get_acknowledged_shares(),
        accounting.get_validated_shares(),
        accounting.get_blocks_found(),
        accounting.get_rejected_shares_count(),
    );
    // SRI forgets nothing of these at a new tip.
    if counts != (25, 25, 2, 0) {
        Err(format!("SRI counts {counts:?}"))
    } else {
        Ok(())
    }
}

pub fn standard(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, REQUIRES_STANDARD_JOBS)?;
    let id = miner.open("standard", false, 0)?;
    shares_and_blocks(miner, id)
}

/// A standard channel of a connection that could also take extended jobs.
pub fn standard_of_group(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let id = miner.open("plain", false, 0)?;
    shares_and_blocks(miner, id)
}

pub fn extended(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, REQUIRES_VERSION_ROLLING)?;
    let id = miner.open("extended", true, 4)?;
    shares_and_blocks(miner, id)
}

/// Four channels of both kinds on one connection: each finds a block, all go on with it.
pub fn group(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let mut ids = Vec::new();
    for (worker, extended, size) in [("a", false, 0), ("b", true, 2), ("c", false, 0), ("d", true, 8)] {
        ids.push(miner.open(worker, extended, size)?);
    }
    for &id in &ids {
        miner.mine_block(id)?;
        for &other in &ids {
            miner.mine(other, 2)?;
        }
    }
    miner.listen(Duration::from_millis(1500))?;
    order("tip")?;
    let tips = |miner: &Miner| {
        miner.channels.values().map(|c| c.heard.iter().filter(|h| **h == Heard::Tip).count()).sum::<usize>()
    };
    let before = tips(&miner);
    miner.wait("a new tip for all", |miner| tips(miner) >= before + ids.len())?;
    ids.iter().try_for_each(|&id| miner.mine(id, 2))
}

/// More transactions under the same tip: a job that starts at once, and the one before it stays valid.
pub fn transactions(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let (plain, rolled) = (miner.open("t1", false, 0)?, miner.open("t2", true, 4)?);
    let old: Vec<_> =
        [plain, rolled].iter().map(|id| (*id, miner.channels[id].job().map(|job| job.id))).collect();
    let early = [plain, rolled].map(|id| (id, miner.dig(id, Want::Share)));
    order("transactions")?;
    miner.wait_for("a job with more transactions", 4 * PATIENCE, |miner| {
        old.iter().all(|(id, job)| miner.channels[id].job().map(|new| new.id) != *job)
    })?;
    for (id, share) in early {
        miner.judge(id, &share?, "accepted")?;
        miner.mine(id, 3)?;
    }
    miner.mine_block(rolled)?;
    miner.mine_block(plain)
}

/// The wish for a harder target is heard, and a job that is being mined keeps the target it came with.
pub fn targets(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    for extended in [false, true] {
        let id = miner.open("targets", extended, 0)?;
        let easy = miner.channels[&id].target();
        let mut hard = easy.to_le_bytes();
        hard[31] >>= 4; // still easier than a block
        let hard = Target::from_le_bytes(hard);
        let channel = miner.channels.get_mut(&id).expect("open");
        let easy_share = channel.dig(Want::Above(hard))?;
        channel.heard.clear();
        miner.link.send(AnyMessageOwned::Mining(MiningOwned::UpdateChannel(UpdateChannelOwned {
            channel_id: id,
            nominal_hash_rate: 0.0,
            maximum_target: hard.to_le_bytes().into(),
        })))?;
        miner.wait("SetTarget", |miner| miner.channels[&id].target() <= hard)?;
        miner.judge(id, &easy_share, "accepted")?;
        miner.mine_block(id)?;
        let channel = miner.channels.get_mut(&id).expect("open");
        if channel.job()?.target > hard {
            return Err("a job after SetTarget has the old target".into());
        }
        let weak = channel.dig(Want::Weak)?;
        miner.judge(id, &weak, "difficulty-too-low")?;
        miner.mine(id, 1)?;
    }
    let mut limit = EASIEST;
    limit[26..].fill(0); // difficulty of about 1: granted, never exceeded
    miner.request("limit", true, 0, limit).map(|_| ())
}

/// Extension 0x0002: shares name the worker that found them.
pub fn extensions(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let request = |id: u16, wanted: Vec<u16>| {
        AnyMessageOwned::Extensions(ExtensionsOwned::ExtensionsNegotiation(
            ExtensionsNegotiationOwned::RequestExtensions(RequestExtensionsOwned {
                request_id: id,
                requested_extensions: Seq064KOwned::new(wanted).expect("few"),
            }),
        ))
    };
    use ExtensionsNegotiationOwned::{RequestExtensionsError, RequestExtensionsSuccess};
    miner.link.send(request(7, vec![0x4001]))?;
    match miner.answer()? {
        AnyMessageOwned::Extensions(ExtensionsOwned::ExtensionsNegotiation(RequestExtensionsError(m)))
            if m.request_id == 7 && m.unsupported_extensions.as_slice() == [0x4001] => {}
        other => return Err(format!("an unknown extension is answered by {other:?}")),
    }
    miner.link.send(request(8, vec![2]))?;
    match miner.answer()? {
        AnyMessageOwned::Extensions(ExtensionsOwned::ExtensionsNegotiation(RequestExtensionsSuccess(m)))
            if m.request_id == 8 && m.supported_extensions.as_slice() == [2] => {}
        other => return Err(format!("extension 2 is answered by {other:?}")),
    }
    let id = miner.open("proxy", true, 4)?;
    // A name that cannot be a label in the books is the channel's share.
    for (name, worker) in [("rig1", "rig1"), ("rig2", "rig2"), ("rig1", "rig1"), ("Förderband #7", "proxy")]
    {
        let channel = miner.channels.get_mut(&id).expect("open");
        let share = channel.dig(Want::Share)?;
        let (sequence, message, _) = channel.submission(&share);
        let tlv = UserIdentity::new(name)?.to_tlv().map_err(told)?;
        let list = TlvList::from_slice(&[tlv]).map_err(told)?;
        miner.link.send_bytes(list.build_frame_bytes_with_tlvs(message).map_err(told)?)?;
        miner.wait("a verdict", |miner| !miner.channels[&id].verdicts[&sequence].is_empty())?;
        let verdict = miner.channels[&id].verdicts[&sequence].clone();
        println!("{}", json!({"event": "share", "hash": share.hash, "verdict": verdict, "worker": worker}));
        if verdict != "accepted" {
            return Err(format!("{name}: {verdict}"));
        }
    }
    Ok(())
}

/// Many shares at once are answered completely, whatever the size of the acknowledgements.
pub fn burst(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let ids = [miner.open("burst", false, 0)?, miner.open("burst", true, 4)?];
    let mut shares = Vec::new();
    // Fewer than 50 a channel: beyond, the pool lets ten easy shares a second pass, of which SRI knows nothing.
    for n in 0..90 {
        let id = ids[n % 2];
        let channel = miner.channels.get_mut(&id).expect("open");
        let share = channel.dig(if n % 10 == 9 { Want::Weak } else { Want::Share })?;
        let (sequence, message, own) = channel.submission(&share);
        miner.link.send(AnyMessageOwned::Mining(message))?;
        shares.push((id, sequence, own, share.hash));
    }
    miner
        .wait("all verdicts", |m| m.channels.values().all(|c| c.verdicts.values().all(|v| !v.is_empty())))?;
    for (id, sequence, own, hash) in shares {
        let verdict = &miner.channels[&id].verdicts[&sequence];
        println!("{}", json!({"event": "share", "hash": hash, "verdict": verdict, "sri": own}));
        if *verdict != own && !(verdict == "accepted" && own == "share") {
            return Err(format!("the pool says {verdict}, SRI {own}"));
        }
    }
    Ok(())
}

/// A closed channel is gone, the connection and its other channels are not.
pub fn close(place: &Place) -> Result<(), String> {
    let mut miner = Miner::ready(place, 0)?;
    let (first, second) = (miner.open("first", true, 0)?, miner.open("second", false, 0)?);
    miner.mine(first, 1)?;
    let late = miner.dig(first, Want::Share)?;
    miner.link.send(AnyMessageOwned::Mining(MiningOwned::CloseChannel(CloseChannelOwned {
        channel_id: first,
        reason_code: "done".to_string().try_into().expect("short text"),
    })))?;
    let mut gone = miner.channels.remove(&first).expect("open");
    let (_, message, _) = gone.submission(&late);
    miner.link.send(AnyMessageOwned::Mining(message))?;
    match miner.answer()? {
        AnyMessageOwned::Mining(MiningOwned::SubmitSharesError(m))
            if m.channel_id == first && m.error_code.as_utf8_or_hex() == "invalid-channel-id" => {}
        other => return Err(format!("a share of a closed channel is answered by {other:?}")),
    }
    miner.mine_block(second)?;
    let third = miner.open("third", true, 8)?;
    miner.mine_block(third)?;
    miner.mine(second, 1)
}
