// SPDX-License-Identifier: MIT
#include "app/api_server.h"

#include "adit/api/routes.h"
#include "adit/base/log.h"
#include "app/books_reader.h"

namespace adit {
namespace {
/// Answers are at most this old; however many ask, the books are looked at no more often.
constexpr Duration kFresh = std::chrono::seconds(1);
}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::start(Clock& clock, const std::string& data_dir,
                                                    const std::string& listen) {
  const auto address = uv::parse_listen_address(listen);
  if (!address) return Error{ErrorCode::Invalid, "api.listen: " + address.error().text};
  auto books = open_books_reader(data_dir);
  if (!books) return books.error();
  std::unique_ptr<ApiServer> api(new ApiServer(clock, *std::move(books)));
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
  ApiReply reply = answer_api(*books_, {question.path, question.query});
  return {reply.status, std::move(reply.type), std::move(reply.body)};
}

}  // namespace adit
