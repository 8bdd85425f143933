# SPDX-License-Identifier: MIT
"""The answer to getblocktemplate, key for key and in the order of bitcoind 28."""
from . import params
from .wire import NULL_HASH, display, sha256d


def longpoll_id(chain, updates):
    return display(chain.tip.hash) + str(updates)


def build(chain, mempool):
    tip, height = chain.tip, chain.tip.height + 1
    chosen = mempool.select()
    bits, mintime = chain.bits_at(height), tip.median_time() + 1
    leaves = [NULL_HASH] + [pooled.tx.wtxid for pooled, _ in chosen]
    commitment = params.COMMITMENT_HEADER + sha256d(params.merkle_root(leaves)[0] + NULL_HASH)
    signet = chain.network.name == "signet"
    answer = {
        "capabilities": ["proposal"],
        "version": 0x20000000,
        "rules": ["csv", "!segwit"] + (["!signet"] if signet else []) + ["taproot"],
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": display(tip.hash),
        "transactions": [pooled.template_entry(depends) for pooled, depends in chosen],
        "coinbaseaux": {},
        "coinbasevalue": chain.subsidy(height) + sum(pooled.fee for pooled, _ in chosen),
        "longpollid": longpoll_id(chain, mempool.updates),
        "target": "%064x" % params.target_of(bits),
        "mintime": mintime,
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": params.MAX_SIGOPS_COST,
        "sizelimit": params.MAX_WEIGHT,
        "weightlimit": params.MAX_WEIGHT,
        "curtime": max(chain.now(), mintime),
        "bits": "%08x" % bits,
        "height": height,
    }
    if signet:
        answer["signet_challenge"] = "51"
    answer["default_witness_commitment"] = commitment.hex()
    return answer
