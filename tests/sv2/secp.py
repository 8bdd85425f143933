# SPDX-License-Identifier: MIT
"""secp256k1 in plain integers: points, BIP340 signatures, ElligatorSwift and the x-only key agreement of BIP324.

A second reading of the two texts for tests: slow, not constant in time, no secret that matters ever passes through."""

import hashlib

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


class BadKey(Exception):
    """A secret outside 1..N-1, or a coordinate that is on no point."""


# -- the field

def inverse(a):
    """1/a; the inverse of zero counts as zero."""
    return pow(a, -1, P) if a % P else 0


def root(a):
    """The square root of a that is itself a square, or None if a is not a square."""
    candidate = pow(a, (P + 1) // 4, P)
    return candidate if candidate * candidate % P == a % P else None


def is_square(a):
    return root(a) is not None


def curve(x):
    """The right side of the curve's equation."""
    return (x * x * x + 7) % P


def on_curve(x):
    return is_square(curve(x))


ROOT_OF_MINUS_3 = root(-3)

# -- points: None is infinity, else (x, y). Multiplication works in Jacobian coordinates.


def _double(point):
    x, y, z = point
    if not y:
        return (1, 1, 0)
    y2 = y * y % P
    s = 4 * x * y2 % P
    m = 3 * x * x % P
    x3 = (m * m - 2 * s) % P
    return (x3, (m * (s - x3) - 8 * y2 * y2) % P, 2 * y * z % P)


def _add_affine(point, other):
    """point (Jacobian) + other (affine)."""
    x1, y1, z1 = point
    x2, y2 = other
    if not z1:
        return (x2, y2, 1)
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * zz * z1 - y1) % P
    if not h:
        return _double(point) if not r else (1, 1, 0)
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return (x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P)


def _affine(point):
    x, y, z = point
    if not z:
        return None
    i = inverse(z)
    return (x * i * i % P, y * i * i * i % P)


def multiply(point, k):
    if point is None:
        return None
    total = (1, 1, 0)
    for bit in bin(k % N)[2:]:
        total = _double(total)
        if bit == '1':
            total = _add_affine(total, point)
    return _affine(total)


def add(a, b):
    if a is None or b is None:
        return b if a is None else a
    return _affine(_add_affine((*a, 1), b))


def negate(point):
    return point and (point[0], P - point[1])


def lift_x(x):
    """The point of that x with an even y, or None."""
    if not 0 <= x < P:
        return None
    y = root(curve(x))
    if y is None:
        return None
    return (x, y if y % 2 == 0 else P - y)


def secret_number(secret):
    d = int.from_bytes(secret, 'big')
    if not 1 <= d < N:
        raise BadKey('secret key out of range')
    return d


def public_x(secret):
    """The 32-byte x-only public key of BIP340."""
    return multiply(G, secret_number(secret))[0].to_bytes(32, 'big')


# -- BIP340

def tagged_hash(tag, *parts):
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix + b''.join(parts)).digest()


def _challenge(r, public, message):
    return int.from_bytes(tagged_hash('BIP0340/challenge', r, public, message), 'big') % N


def sign(secret, message, aux):
    d = secret_number(secret)
    point = multiply(G, d)
    if point[1] % 2:
        d = N - d
    public = point[0].to_bytes(32, 'big')
    masked = d ^ int.from_bytes(tagged_hash('BIP0340/aux', aux), 'big')
    k = int.from_bytes(tagged_hash('BIP0340/nonce', masked.to_bytes(32, 'big'), public, message), 'big') % N
    if not k:
        raise BadKey('nonce is zero')
    nonce = multiply(G, k)
    if nonce[1] % 2:
        k = N - k
    r = nonce[0].to_bytes(32, 'big')
    return r + ((k + _challenge(r, public, message) * d) % N).to_bytes(32, 'big')


def verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    point = lift_x(int.from_bytes(public, 'big'))
    r, s = int.from_bytes(signature[:32], 'big'), int.from_bytes(signature[32:], 'big')
    if point is None or r >= P or s >= N:
        return False
    e = _challenge(signature[:32], public, message)
    nonce = add(multiply(G, s), negate(multiply(point, e)))
    return nonce is not None and nonce[1] % 2 == 0 and nonce[0] == r


# -- ElligatorSwift (BIP324)

def xswiftec(u, t):
    """The x coordinate that the pair (u, t) stands for. Every pair stands for one."""
    u, t = u % P or 1, t % P or 1
    if (curve(u) + t * t) % P == 0:
        t = 2 * t % P
    big_x = (curve(u) - t * t) * inverse(2 * t) % P
    big_y = (big_x + t) * inverse(ROOT_OF_MINUS_3 * u) % P
    half = inverse(2)
    ratio = big_x * inverse(big_y) % P
    for x in ((u + 4 * big_y * big_y) % P, (-ratio - u) * half % P, (ratio - u) * half % P):
        if on_curve(x):
            return x
    raise AssertionError('one of three is always on the curve')


def xswiftec_inverse(x, u, case):
    """A t with xswiftec(u, t) == x, of at most eight; None where this case has none."""
    half, g = inverse(2), curve(u)
    if not case & 2:
        if on_curve((-x - u) % P):
            return None
        v = x
        s = -g * inverse(u * u + u * v + v * v) % P
    else:
        s = (x - u) % P
        if not s:
            return None
        r = root(-s * (4 * g + 3 * s * u * u))
        if r is None or (case & 1 and not r):
            return None
        v = (r * inverse(s) - u) * half % P
    w = root(s)
    if w is None:
        return None
    c = ROOT_OF_MINUS_3
    factor = (1 - c if not case & 1 else 1 + c) * half
    # Cases 0 and 5 (of the bits 0 and 2) carry the minus sign.
    sign_of_w = -w if case & 5 in (0, 5) else w
    return sign_of_w * (u * factor + v) % P


def ellswift_decode(encoded):
    """64 bytes -> x as a number; halves above the prime are reduced."""
    return xswiftec(int.from_bytes(encoded[:32], 'big'), int.from_bytes(encoded[32:], 'big'))


def ellswift_encode(x, random_bytes):
    """A 64-byte encoding of x; random_bytes(n) gives the choice."""
    while True:
        u = int.from_bytes(random_bytes(32), 'big') % P
        case = random_bytes(1)[0] & 7
        t = xswiftec_inverse(x, u, case) if u else None
        if t is not None:
            return u.to_bytes(32, 'big') + t.to_bytes(32, 'big')


def ellswift_public(secret, random_bytes):
    return ellswift_encode(multiply(G, secret_number(secret))[0], random_bytes)


def ecdh_x(secret, their_ellswift):
    """The x coordinate of secret times their point: 32 bytes."""
    point = lift_x(ellswift_decode(their_ellswift))
    return multiply(point, secret_number(secret))[0].to_bytes(32, 'big')


def shared_secret(secret, our_ellswift, their_ellswift, initiating):
    """BIP324's v2_ecdh: the initiator's encoding is hashed first, whoever computes."""
    first, second = (our_ellswift, their_ellswift) if initiating else (their_ellswift, our_ellswift)
    return tagged_hash('bip324_ellswift_xonly_ecdh', first, second, ecdh_x(secret, their_ellswift))
