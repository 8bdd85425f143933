# SPDX-License-Identifier: MIT
"""Addresses to output scripts: bech32 and bech32m (BIP173, BIP350), and base58check."""
import hashlib

HRP = {"main": "bc", "test": "tb", "testnet4": "tb", "signet": "tb", "regtest": "bcrt"}
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CONSTANTS = {1: "bech32", 0x2BC830A3: "bech32m"}


def _polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> i & 1:
                check ^= generator
    return check


def _segwit(text, hrp):
    if text != text.lower() and text != text.upper():
        raise ValueError("mixed case")
    head, _, data = text.lower().rpartition("1")
    if head != hrp or len(data) < 8 or any(c not in BECH32 for c in data):
        raise ValueError("no address of this network")
    values = [BECH32.index(c) for c in data]
    kind = CONSTANTS.get(_polymod([ord(c) >> 5 for c in head] + [0] + [ord(c) & 31 for c in head] + values))
    version, number, bits = values[0], 0, 5 * (len(values) - 7)
    for value in values[1:-6]:
        number = number << 5 | value
    program = (number >> bits % 8).to_bytes(bits // 8, "big")
    if kind != ("bech32m" if version else "bech32") or number & (1 << bits % 8) - 1 or not 2 <= len(program) <= 40:
        raise ValueError("bad checksum")
    return bytes([0x50 + version if version else 0, len(program)]) + program


def _base58(text, network):
    number = 0
    for c in text:
        number = number * 58 + BASE58.index(c)
    data = number.to_bytes(25, "big")
    if hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] != data[21:]:
        raise ValueError("bad checksum")
    keys, scripts = (0, 5) if network == "main" else (111, 196)
    if data[0] == keys:
        return b"\x76\xa9\x14" + data[1:21] + b"\x88\xac"
    if data[0] == scripts:
        return b"\xa9\x14" + data[1:21] + b"\x87"
    raise ValueError("no address of this network")


def script_of(text, network):
    """The output script of an address; ValueError when it is none of this network."""
    hrp = HRP[network]
    if text.lower().startswith(hrp + "1"):
        return _segwit(text, hrp)
    try:
        return _base58(text, network)
    except OverflowError:
        raise ValueError("too long")
