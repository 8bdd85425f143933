// SPDX-License-Identifier: MIT
// `adit ledger proof` and `adit ledger check-proof`: that a share stands in the books, for somebody
// who has no books.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "adit/ledger/share_proof.h"
#include "app/books_reader.h"
#include "app/commands.h"
#include "app/config.h"

namespace adit {
namespace {

Result<std::unique_ptr<RocksStore>> books_of(const std::string& config_file) {
  const auto config = load_config(config_file);
  if (!config) return config.error();
  return open_books_reader(config->data_dir);
}

/// One byte more than a proof can have, so that a longer one is refused.
Result<std::string> read_proof(const std::string& path) {
  std::string text(kMaxProofBytes + 2, '\0');
  if (path == "-") {
    text.resize(std::fread(text.data(), 1, text.size(), stdin));
    return text;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (file == nullptr) return Error{ErrorCode::NotFound, path + " cannot be read"};
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

Status compare_with_books(const std::string& config_file, const CheckedProof& proof) {
  const auto store = books_of(config_file);
  if (!store) return store.error();
  const auto slice = read_slice(**store, proof.slice.number);
  if (!slice) return slice.error();
  const std::string name = "slice " + std::to_string(proof.slice.number.value());
  if (!*slice) return Error{ErrorCode::NotFound, name + " is not (or no longer) in the books"};
  if ((*slice)->root != proof.slice.root)
    return Error{ErrorCode::Invalid,
                 "the books have root " + to_hex((*slice)->root) + " for " + name};
  if ((*slice)->hash() != proof.slice_hash)
    return Error{ErrorCode::Invalid,
                 "the books have hash " + to_hex((*slice)->hash()) + " for " + name};
  return {};
}

int failed(const Error& error) {
  fmt::print(stderr, "{}\n", error.text);
  return 1;
}

}  // namespace

int proof_command(const ProofOptions& options) {
  const auto store = books_of(options.common.config_file);
  if (!store) return failed(store.error());
  const auto proof = make_share_proof(**store, Sequence(options.share));
  if (!proof) return failed(proof.error());
  fmt::print("{}\n", *proof);
  return 0;
}

int check_proof_command(const ProofOptions& options) {
  std::optional<Digest> root;
  if (!options.root.empty() && !from_hex(options.root, root.emplace()))
    return failed({ErrorCode::Invalid, "--root is 64 hex digits"});
  const auto text = read_proof(options.file);
  if (!text) return failed(text.error());
  const auto proof = check_share_proof(*text, root);
  if (!proof) return failed({ErrorCode::Invalid, "the proof does not hold: " + proof.error().text});
  const bool books = !options.common.config_file.empty();
  if (books)
    if (const Status s = compare_with_books(options.common.config_file, *proof); !s)
      return failed(s.error());
  fmt::print("{}{}\n", proof->words(),
             books  ? "The books have this slice."
             : root ? "It is the root that was given."
                    : "Compare the root, or the slice's hash, with one that did not come with the "
                      "proof.");
  return 0;
}

}  // namespace adit
