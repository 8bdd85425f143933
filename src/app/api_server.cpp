// SPDX-License-Identifier: MIT
#include "app/api_server.h"

#include "adit/base/log.h"
#include "app/books_reader.h"

namespace adit {
namespace {
/// Answers are at most this old; however many ask, the books are looked at no more often.
constexpr Duration kFresh = std::chrono::seconds(1);
}  // namespace

ApiServer::ApiServer(Clock& clock, const ApiOptions& options, ApiLinks links,
                     std::unique_ptr<RocksStore> books)
    : clock_(&clock),
      network_(options.network),
      asker_(links.threads, std::move(links.ask)),
      metrics_(std::move(links.metrics)),
      books_(std::move(books)) {}

Result<std::unique_ptr<ApiServer>> ApiServer::start(Clock& clock, const ApiOptions& options,
                                                    ApiLinks links) {
  const auto address = uv::parse_listen_address(options.listen);
  if (!address) return Error{ErrorCode::Invalid, "api.listen: " + address.error().text};
  auto books = open_books_reader(options.data_dir);
  if (!books) return books.error();
  std::unique_ptr<ApiServer> api(
      new ApiServer(clock, options, std::move(links), *std::move(books)));
  auto server = uv::HttpServer::listen(
      *address, [self = api.get()](const uv::HttpQuestion& asked) { return self->answer(asked); });
  if (!server) return server.error();
  api->server_ = *std::move(server);
  log_info("api", "HTTP on {}", api->address().text());
  return api;
}

uv::HttpResponse ApiServer::answer(const uv::HttpQuestion& question) {
  const Instant now = clock_->now().mono;
  if (now - caught_up_ >= kFresh) {
    if (const Status caught_up = books_->catch_up(); !caught_up)
      log_warn("api", "the books cannot be read: {}", caught_up.error().text);
    caught_up_ = now;
  }
  ApiReply reply = answer_api({*books_, totals_, *this, network_}, {question.path, question.query});
  return {reply.status, std::move(reply.type), std::move(reply.body)};
}

}  // namespace adit
