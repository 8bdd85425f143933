// SPDX-License-Identifier: MIT
// The field against OpenSSL's big numbers, with values near every place where limbs carry.
#include "crypto/field.h"

#include <openssl/bn.h>

#include <memory>

#include "sha256_support.h"

using namespace adit;
using namespace adit::test;

namespace {

struct BnFree {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Bn = std::unique_ptr<BIGNUM, BnFree>;

class Oracle {
 public:
  Oracle()
      : context_(BN_CTX_new()),
        p_(hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F")) {}
  ~Oracle() { BN_CTX_free(context_); }
  static Bn of(const Field& f) {
    const auto bytes = f.bytes();
    return Bn(BN_bin2bn(bytes.data(), 32, nullptr));
  }
  static Field back(const Bn& n) {
    std::array<std::uint8_t, 32> bytes;
    REQUIRE(BN_bn2binpad(n.get(), bytes.data(), 32) == 32);
    return Field::from_bytes(bytes);
  }
  template <class Operation>
  Field two(const Field& a, const Field& b, Operation operation) {
    Bn out(BN_new());
    REQUIRE(operation(out.get(), of(a).get(), of(b).get(), p_.get(), context_) == 1);
    return back(out);
  }
  Field inverse(const Field& a) {
    Bn out(BN_new());
    REQUIRE(BN_mod_inverse(out.get(), of(a).get(), p_.get(), context_) != nullptr);
    return back(out);
  }
  int legendre(const Field& a) { return BN_kronecker(of(a).get(), p_.get(), context_); }

 private:
  static Bn hex(const char* text) {
    BIGNUM* out = nullptr;
    REQUIRE(BN_hex2bn(&out, text) != 0);
    return Bn(out);
  }
  BN_CTX* context_;
  Bn p_;
};

/// Limbs of all zeros, all ones or near p come often.
Field draw(SplitMix& random) {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t limb = 0; limb < 4; ++limb) {
    const std::uint64_t edges[] = {
        0, 1, ~0ull, ~1ull, 0xffff'fffe'ffff'fc2full, 0xffff'fffe'ffff'fc2eull, 1ull << 63, 977};
    const std::uint64_t pick = random.below(16);
    store_be64(&bytes[8 * limb], pick < 8 ? edges[pick] : random.next());
  }
  return Field::from_bytes(bytes);
}

}  // namespace

TEST_CASE("sums, differences and products") {
  Oracle oracle;
  SplitMix random(7);
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Field a = draw(random), b = draw(random);
    wrong += a + b != oracle.two(a, b, BN_mod_add);
    wrong += a - b != oracle.two(a, b, BN_mod_sub);
    wrong += a * b != oracle.two(a, b, BN_mod_mul);
    wrong += a.half() + a.half() != a;
    wrong += !(a + -a).is_zero();
  }
  CHECK(wrong == 0);
}

TEST_CASE("inverses and square roots") {
  Oracle oracle;
  SplitMix random(8);
  int wrong = 0, squares = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Field a = draw(random);
    if (!a.is_zero()) wrong += a.inverse() != oracle.inverse(a);
    const auto root = a.sqrt();
    wrong += root.has_value() != (oracle.legendre(a) >= 0);
    if (root) wrong += root->squared() != a;
    if (root && !a.is_zero()) wrong += oracle.legendre(*root) != 1;  // of the two, the square one
    squares += root.has_value();
  }
  CHECK(wrong == 0);
  CHECK(squares > 400);
  CHECK(Field{}.inverse().is_zero());
  CHECK(Field{}.sqrt() == Field{});
}

TEST_CASE("numbers of p and above are reduced") {
  std::array<std::uint8_t, 32> bytes;
  bytes.fill(0xff);
  CHECK(Field::from_bytes(bytes) == Field(0x1'0000'03d0));
  REQUIRE(from_hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", bytes));
  CHECK(Field::from_bytes(bytes).is_zero());
  --bytes[31];
  CHECK(Field::from_bytes(bytes) == -Field(1));
  CHECK(Field::from_bytes(bytes).bytes() == bytes);
}
