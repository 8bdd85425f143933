// SPDX-License-Identifier: MIT
//! A Stratum V2 miner made of the reference implementation's crates, for the interop suite: `sri_client ADDRESS
//! AUTHORITY_KEY USER MODE...` runs each mode on connections of its own and prints JSON lines. Exit status 0 when all
//! went as the specification says, 1 when not, 2 on wrong usage. `sri_client modes` lists the modes.

mod channel;
mod link;
mod miner;
mod mistakes;
mod modes;
mod work;

use std::process::ExitCode;

use miner::Place;
use serde_json::json;

type Mode = fn(&Place) -> Result<(), String>;

const MODES: &[(&str, Mode)] = &[
    ("standard", modes::standard),
    ("standard-of-group", modes::standard_of_group),
    ("extended", modes::extended),
    ("group", modes::group),
    ("transactions", modes::transactions),
    ("targets", modes::targets),
    ("extensions", modes::extensions),
    ("burst", modes::burst),
    ("close", modes::close),
    ("wrong-key", mistakes::wrong_key),
    ("wrong-tag", mistakes::wrong_tag),
    ("wrong-first", mistakes::wrong_first),
    ("wrong-protocol", mistakes::wrong_protocol),
    ("wrong-version", mistakes::wrong_version),
    ("wrong-flags", mistakes::wrong_flags),
    ("stale", mistakes::stale),
    ("duplicate", mistakes::duplicate),
    ("low-difficulty", mistakes::low_difficulty),
    ("unknown-job", mistakes::unknown_job),
    ("version-bits", mistakes::version_bits),
    ("old-ntime", mistakes::old_ntime),
    ("extranonce-size", mistakes::extranonce_size),
    ("openings", mistakes::openings),
    ("unknown-channel", mistakes::unknown_channel),
    ("custom-job", mistakes::custom_job),
    ("unknown-messages", mistakes::unknown_messages),
];

fn run(place: &Place, name: &str) -> bool {
    let Some((_, mode)) = MODES.iter().find(|(known, _)| *known == name) else {
        println!("{}", json!({"event": "failed", "mode": name, "why": "no such mode"}));
        return false;
    };
    println!("{}", json!({"event": "mode", "mode": name}));
    let outcome = mode(place);
    match &outcome {
        Ok(()) => println!("{}", json!({"event": "passed", "mode": name})),
        Err(why) => println!("{}", json!({"event": "failed", "mode": name, "why": why})),
    }
    outcome.is_ok()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word] if word == "modes" => {
            MODES.iter().for_each(|(name, _)| println!("{}", json!({"event": "known", "mode": name})));
            ExitCode::SUCCESS
        }
        [address, authority, user, modes @ ..] if !modes.is_empty() => {
            let place = Place { address: address.clone(), authority: authority.clone(), user: user.clone() };
            let failed = modes.iter().filter(|name| !run(&place, name)).count();
            if failed == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        _ => {
            eprintln!("usage: sri_client ADDRESS AUTHORITY_KEY USER MODE... | sri_client modes");
            ExitCode::from(2)
        }
    }
}
