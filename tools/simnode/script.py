# SPDX-License-Identifier: MIT
"""What the chain needs of script: minimal pushes, counted signature operations, and the few scripts it spends.

There is no interpreter here. The node can verify spends of its own anyone-can-spend outputs; a spend of any
other script is taken on trust.
"""
import hashlib

OP_TRUE = b"\x51"
OP_RETURN = 0x6A
# TRUE IF TRUE ELSE CHECKSIG ENDIF: always true, and counts as one signature operation.
COUNTED_TRUE = bytes.fromhex("51635167ac68")
WITNESS_SCRIPTS = (OP_TRUE, COUNTED_TRUE)


def p2wsh(script):
    return b"\x00\x20" + hashlib.sha256(script).digest()


OWN_WITNESS = {p2wsh(s): s for s in WITNESS_SCRIPTS}
OWN_SCRIPTS = (OP_TRUE,) + tuple(OWN_WITNESS)


def push(data):
    n = len(data)
    if n < 0x4C:
        return bytes([n]) + data
    if n <= 0xFF:
        return b"\x4c" + bytes([n]) + data
    return b"\x4d" + n.to_bytes(2, "little") + data


def script_number(n):
    """The minimal little-endian, sign-and-magnitude number."""
    if n == 0:
        return b""
    magnitude = abs(n)
    out = bytearray(magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "little"))
    if out[-1] & 0x80:
        out.append(0x80 if n < 0 else 0)
    elif n < 0:
        out[-1] |= 0x80
    return bytes(out)


def height_script(height):
    """What a coinbase scriptSig must begin with (BIP34)."""
    if height == 0:
        return b"\x00"
    if 1 <= height <= 16:
        return bytes([0x50 + height])
    return push(script_number(height))


def operations(script):
    """Yields (opcode, pushed data or None); stops at a push that runs past the end."""
    pos, end = 0, len(script)
    while pos < end:
        op = script[pos]
        pos += 1
        if op > 0x4E:
            yield op, None
            continue
        size = op
        if op >= 0x4C:
            width = {0x4C: 1, 0x4D: 2, 0x4E: 4}[op]
            if pos + width > end:
                return
            size = int.from_bytes(script[pos:pos + width], "little")
            pos += width
        if pos + size > end:
            return
        yield op, script[pos:pos + size]
        pos += size


def count_sigops(script, accurate=False):
    total, last = 0, 0xFF
    for op, _ in operations(script):
        if op in (0xAC, 0xAD):
            total += 1
        elif op in (0xAE, 0xAF):
            total += last - 0x50 if accurate and 0x51 <= last <= 0x60 else 20
        last = op
    return total


def is_p2sh(script):
    return len(script) == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87


def last_push(script):
    """The last pushed item of a push-only script, or None."""
    data = None
    for op, item in operations(script):
        if op > 0x60:
            return None
        data = item if item is not None else b""
    return data


def witness_program(script):
    """(version, program) of a witness output, or None."""
    if 4 <= len(script) <= 42 and (script[0] == 0 or 0x51 <= script[0] <= 0x60) and script[1] == len(script) - 2:
        return (script[0] - 0x50 if script[0] else 0), script[2:]
    return None


def legacy_sigops(tx):
    return sum(count_sigops(i.script) for i in tx.vin) + sum(count_sigops(o.script) for o in tx.vout)


def _witness_sigops(script, witness):
    program = witness_program(script)
    if program is None or program[0] != 0:
        return 0
    if len(program[1]) == 20:
        return 1
    if len(program[1]) == 32 and witness:
        return count_sigops(witness[-1], accurate=True)
    return 0


def sigop_cost(tx, spent_scripts):
    """The cost against the limit of 80,000; `spent_scripts` has one output script per input."""
    cost = 4 * legacy_sigops(tx)
    if tx.is_coinbase():
        return cost
    for txin, script in zip(tx.vin, spent_scripts):
        if is_p2sh(script):
            redeem = last_push(txin.script)
            if redeem is not None:
                cost += 4 * count_sigops(redeem, accurate=True)
                cost += _witness_sigops(redeem, txin.witness)
        else:
            cost += _witness_sigops(script, txin.witness)
    return cost


def spend_error(script, txin):
    """Why this input may not spend `script`; None when it may, or when the script is not ours to judge."""
    if script == OP_TRUE:
        return "Witness provided for non-witness script" if txin.witness else None
    wanted = OWN_WITNESS.get(script)
    if wanted is None:
        return None
    if txin.script:
        return "Witness requires empty scriptSig"
    if not txin.witness:
        return "Witness program was passed an empty witness"
    if txin.witness != [wanted]:
        return "Witness program hash mismatch"
    return None
