// SPDX-License-Identifier: MIT
// Difficulty: texts that firmware and people write, exact targets (figures from Python's integers
// and fractions), and the way back.
#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "adit/bitcoin/target.h"
#include "random.h"

using namespace adit;

namespace {

Difficulty difficulty(std::string_view text) {
  const auto d = Difficulty::parse(text);
  REQUIRE_MESSAGE(d.has_value(), std::string(text));
  return *d;
}

/// As firmware's JSON parser reads it.
double read_double(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const std::string kFull(64, 'f');

}  // namespace

TEST_CASE("difficulty: targets are exact") {
  const std::pair<const char*, std::string> cases[] = {
      {"1", "00000000ffff0000000000000000000000000000000000000000000000000000"},
      {"0.00016", "00001869e7960000000000000000000000000000000000000000000000000000"},
      {"1e-10", kFull},
      {"1024", "00000000003fffc0000000000000000000000000000000000000000000000000"},
      {"16383.75", "0000000000040000000000000000000000000000000000000000000000000000"},
      {"126411437451912", "000000000000000000023a04000000012a18019801989d7beb514926f8822631"},
      {"0.3", "0000000355520000000000000000000000000000000000000000000000000000"},
      {"1e30", "00000000000000000000000000000000144837b69fc3b3c3949e7c4a84ba6b28"},
      {"1e-30", kFull},
      {"0.000000000000999999999999999999", kFull},
      {"123456789012345678e10", "000000000000000000000000000000402c80518620183c0cd4c454269534d531"},
      {"21250919909e-5", "0000000000004ef26d703de0a71d5542be65cdc621edd76ff0500b99c2728f03"},
      {"10e22", "000000000000000000000000000c16cd892fb91f494eb8f8f8509db737c0adbb"},
      {"421610615998048274e7", "000000000000000000000000000049677fad5aa9a0f658336393f7260bbb2178"},
      {"65e-17", kFull},
      {"12e-3", "0000005355020000000000000000000000000000000000000000000000000000"},
      {"68149772622318119e22", "00000000000000000000000000000000000000007fd2a3e670b07481425ebc09"},
      {"3658e10", "00000000000000000007b1d5458e0934c2dd6af4557ceff8cfcff193eb350869"},
      {"74e7", "0000000000000005cdcdc94073251d7578d1d163ffa6ac337ecf92a8594461c7"},
      {"816993325457e5", "0000000000000000000000e1c8e4c10d8b27577670ba722edf6430c3fb3faff3"},
      {"37960e-4", "00000000437039ba670c239ba670c239ba670c239ba670c239ba670c239ba670"},
  };
  for (const auto& [text, target] : cases) CHECK(difficulty(text).to_target().hex() == target);
  CHECK(difficulty("1").to_target() == Target::difficulty_one());
  CHECK(Difficulty().to_target() == Target::difficulty_one());
}

TEST_CASE("difficulty: of a target, rounded down to 18 digits; and the target's work") {
  struct Case {
    const char* target;
    const char* difficulty;
    const char* work;
  };
  const char* const all = "340282366920938463463374607431768211455";
  for (const Case& c : {
           Case{"0000002b7f15052434b9b5df9e7769b10f4205b4907a70c31012f037b64ce422",
                "229900499365829370e-19", "98743019"},
           Case{"000000017403e430ec66a78795e761d17731af10506bf2efc6f877186d76b07e",
                "688133423819701025e-18", "2955555648"},
           Case{"00000000000000000000000fc7a2ea20b2f14c942e05319acb5c74273f98e277",
                "116898997216775476e1", "5020850311908280750545995080"},
           Case{"0000000000000000000000000000000000001faf867347214cdd2055930d6eaf",
                "419498388257348351e17", all},
           Case{"00000000000000000000257afaecbd389be4bcfc49b64a0872e6cc3ababced20",
                "192251179914668988e-2", "8257251299164963761458193"},
           Case{"00000000000000000001ec8d0a097c976bf46c697d2caf82eeeacbe226e87555",
                "146292473515631149e-3", "628330976970420957560285"},
           Case{"0000000000002c9c795e8229451abd81f1d69ed617f5e837d70820fe119a72d1",
                "376070356013187629e-12", "1615234526594645"},
           Case{"000000000000000000000000000000000000013db394fb36bb2d420f0f88080b",
                "107105941635950423e19", all},
           Case{"31619d27b774eb5248db40af72158370d269a9a5ae658f33fe3b890b93f448b3",
                "120701014664056119e-26", "5"},
           Case{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "232827090940190828e-27", "1"},
           Case{"00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "999984741210937500e-18", "4294967296"},
           Case{"00000000ffff0000000000000000000000000000000000000000000000000000", "1",
                "4295032833"},
           Case{"0000000000000000000000000000000000000000000000000000000000000001",
                "999999999999999999e30", all},
           Case{"0000000000000000000000000000000000000000000000000000000000000000",
                "999999999999999999e30", all},
       }) {
    const auto target = Target::from_hex(c.target);
    REQUIRE(target);
    CHECK(Difficulty::of(*target) == difficulty(c.difficulty));
    CHECK(Work::of(*target).decimal() == c.work);
  }
}

TEST_CASE("difficulty: of(to_target) comes back within the target's own precision") {
  test::Random random(6);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t whole = 1 + random.below(1'000'000'000'000);
    const Difficulty d = Difficulty::from_u64(whole);
    CHECK(d.text() == std::to_string(whole));
    const Difficulty back = Difficulty::of(d.to_target());
    CHECK(back >= d);  // the target was rounded down
    CHECK(back.approximate() == doctest::Approx(static_cast<double>(whole)).epsilon(1e-15));
  }
}

TEST_CASE("difficulty: text comes back as it is shown") {
  for (const char* text :
       {"1", "0.00016", "1024", "1e-10", "16383.75", "126411437451912", "0.3", "1e30", "0.000001",
        "1e-7", "1.5e-7", "100000000000000000000", "1.23456789012345678e27", "0.999999999999999999",
        "10.5", "1e-30", "9.99999999999999999e47"}) {
    CHECK(difficulty(text).text() == text);
  }
  CHECK(difficulty("1E3").text() == "1000");
  CHECK(difficulty("1e+3").text() == "1000");
  CHECK(difficulty("0001.500").text() == "1.5");
  CHECK(difficulty("1.0e0").text() == "1");
  CHECK(difficulty("1e21").text() == "1e21");
  test::Random random(7);
  for (int i = 0; i < 3000; ++i) {
    char text[64];
    const auto mantissa =
        static_cast<unsigned long long>(1 + random.next() % 999999999999999999ull);
    const int exponent = static_cast<int>(random.below(61)) - 30;
    std::snprintf(text, sizeof text, "%llue%d", mantissa >> random.below(58) | 1, exponent);
    const Difficulty d = difficulty(text);
    CHECK(difficulty(d.text()) == d);
    CHECK(d.approximate() == doctest::Approx(read_double(text)).epsilon(1e-14));
  }
}

TEST_CASE("difficulty: what is not one") {
  for (const char* text : {"",        "0",
                           "0.0",     "0e5",
                           "-1",      "+1",
                           " 1",      "1 ",
                           "nan",     "inf",
                           "0x10",    "1e",
                           "1e+",     "e5",
                           ".",       "1.",
                           ".5",      "1.e5",
                           "1..2",    "1,5",
                           "1e5.0",   "1e99999",
                           "1e49",    "1e-31",
                           "1.5e-30", "00000000000000000000000000000000000000001",
                           "1d5"}) {
    CHECK_MESSAGE(!Difficulty::parse(text), text);
  }
  CHECK_FALSE(Difficulty::parse(std::string_view("1\0", 2)));
}

TEST_CASE("difficulty: digits past the 18th are dropped") {
  CHECK(difficulty("1234567890123456789") == difficulty("1234567890123456780"));
  CHECK(difficulty("0.1234567890123456789") == difficulty("0.123456789012345678"));
  CHECK(difficulty("0.00000000001234567890123456789") ==
        difficulty("0.0000000000123456789012345678"));
  CHECK(Difficulty::from_u64(~0ull) == difficulty("18446744073709551600"));
  CHECK(difficulty("10000000000000000000000000000") == difficulty("1e28"));
}

TEST_CASE("difficulty: whole above 1") {
  const auto both = [](const char* text) {
    const Difficulty value = *Difficulty::parse(text);
    return value.whole_below().text() + " " + value.whole_above().text();
  };
  CHECK(both("931.1") == "931 932");
  CHECK(both("1.000000001") == "1 2");
  CHECK(both("9.9") == "9 10");
  CHECK(both("99999999999999999.9") == "99999999999999999 100000000000000000");
  CHECK(both("1024") == "1024 1024");
  CHECK(both("1e20") == "100000000000000000000 100000000000000000000");
  CHECK(both("0.999") == "0.999 0.999");
  CHECK(both("1e-10") == "1e-10 1e-10");
}

TEST_CASE("difficulty: order") {
  const char* rising[] = {"1e-30",    "2e-30",
                          "1e-10",    "0.00016",
                          "0.3",      "0.999999999999999999",
                          "1",        "1.00000000000000001",
                          "9",        "10",
                          "16383.75", "16384",
                          "1e30",     "9.99999999999999999e47"};
  for (std::size_t i = 0; i < std::size(rising); ++i) {
    for (std::size_t j = 0; j < std::size(rising); ++j) {
      CHECK((difficulty(rising[i]) <=> difficulty(rising[j])) == (i <=> j));
    }
  }
  CHECK(difficulty("1000") == difficulty("1e3"));
  CHECK(difficulty("0.5") == difficulty("50e-2"));
}

TEST_CASE("difficulty: from an estimate") {
  CHECK(Difficulty::from_estimate(1.0) == difficulty("1"));
  CHECK(Difficulty::from_estimate(1.4) == difficulty("1"));
  CHECK(Difficulty::from_estimate(1.6) == difficulty("2"));
  CHECK(Difficulty::from_estimate(16383.75) == difficulty("16384"));
  CHECK(Difficulty::from_estimate(0.00016) == difficulty("0.00016"));
  CHECK(Difficulty::from_estimate(1.0 / 3) == difficulty("0.333333"));
  CHECK(Difficulty::from_estimate(0.99999999) == difficulty("1"));
  CHECK(Difficulty::from_estimate(1.23456789e-10) == difficulty("1.23457e-10"));
  CHECK(Difficulty::from_estimate(9007199254740993.0) == difficulty("9007199254740992"));
  CHECK(Difficulty::from_estimate(1e20) == difficulty("1e20"));
  CHECK(Difficulty::from_estimate(1.5e-30) <= difficulty("2e-30"));
  CHECK(Difficulty::from_estimate(1e-300) == difficulty("1e-30"));
  CHECK(Difficulty::from_estimate(std::numeric_limits<double>::denorm_min()) ==
        difficulty("1e-30"));
  CHECK(Difficulty::from_estimate(std::numeric_limits<double>::max()) ==
        difficulty("999999999999999999e30"));
  test::Random random(8);
  for (int i = 0; i < 3000; ++i) {
    const double exponent = static_cast<double>(random.below(400)) / 10 - 15;
    const double value = std::pow(10.0, exponent);
    const Difficulty d = Difficulty::from_estimate(value);
    CHECK(d.approximate() == doctest::Approx(value).epsilon(value < 1 ? 1e-5 : 0.5));
    CHECK(read_double(d.text()) == d.approximate());
  }
}
