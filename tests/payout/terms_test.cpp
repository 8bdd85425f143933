// SPDX-License-Identifier: MIT
#include "adit/payout/terms.h"

#include <doctest/doctest.h>

namespace adit {

TEST_CASE("terms: one text for one value, both ways") {
  PayoutTerms tides;
  tides.scheme = {SchemeKind::Pplns, 150, 8};
  tides.way = PayWay::Coinbase;
  tides.threshold = Satoshi(1'048'576);
  CHECK(tides.text() == "pplns factor=8 fee=150 way=coinbase threshold=1048576 weight=8000");
  for (const SchemeKind kind :
       {SchemeKind::Solo, SchemeKind::Pplns, SchemeKind::Prop, SchemeKind::Pps, SchemeKind::Fpps})
    for (const PayWay way : {PayWay::Wallet, PayWay::Coinbase, PayWay::Export}) {
      tides.scheme.kind = kind;
      tides.way = way;
      const auto read = PayoutTerms::parse(tides.text());
      REQUIRE(read);
      CHECK(read->text() == tides.text());
      CHECK(read->scheme.kind == kind);
      CHECK(read->way == way);
      CHECK(read->threshold == tides.threshold);
      CHECK(read->scheme.fee_basis_points == 150);
    }
}

TEST_CASE("terms: what is not exactly a text of terms is none") {
  const std::string good = "pplns factor=8 fee=150 way=wallet threshold=546 weight=8000";
  REQUIRE(PayoutTerms::parse(good));
  for (const char* bad :
       {"", "pplns", "tides factor=8 fee=150 way=wallet threshold=546 weight=8000",
        "pplns fee=150 way=wallet threshold=546 weight=8000",
        "solo factor=8 fee=150 way=wallet threshold=546 weight=8000",
        "pplns factor=0 fee=150 way=wallet threshold=546 weight=8000",
        "pplns factor=08 fee=150 way=wallet threshold=546 weight=8000",
        "pplns factor=8 fee=10001 way=wallet threshold=546 weight=8000",
        "pplns factor=8 fee=150 way=cheque threshold=546 weight=8000",
        "pplns factor=8 fee=150 way=wallet threshold=-1 weight=8000",
        "pplns factor=8 fee=150 way=wallet threshold=2100000000000001 weight=8000",
        "pplns factor=8 fee=150 way=wallet threshold=546 weight=8000 ",
        "pplns factor=8 fee=150 way=wallet threshold=546 weight=8000 more=1",
        "pplns factor=8  fee=150 way=wallet threshold=546 weight=8000",
        "pplns factor=8 fee= way=wallet threshold=546 weight=8000"})
    CHECK_FALSE(PayoutTerms::parse(bad));
  for (std::size_t n = 0; n < good.size() - 3; ++n)
    CHECK_FALSE(PayoutTerms::parse(good.substr(0, n)));
}

}  // namespace adit
