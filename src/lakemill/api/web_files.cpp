#include "lakemill/api/web_files.h"

#include <array>

namespace lakemill::api {

namespace {

// Own files only, no inline script or style, nobody may show us in a frame.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

constexpr std::array<std::string_view, 8> kPages = {
    "/", "/graph", "/runs", "/runs/{run}", "/pipelines/{pipeline}", "/events",
    "/tables", "/streams"};

void add_common_headers(server::Answer& answer) {
  answer.headers.push_back({"X-Content-Type-Options", "nosniff"});
  answer.headers.push_back({"Referrer-Policy", "no-referrer"});
  answer.headers.push_back({"Cross-Origin-Opener-Policy", "same-origin"});
  answer.headers.push_back({"Cross-Origin-Resource-Policy", "same-origin"});
}

}  // namespace

std::span<const std::string_view> page_paths() { return kPages; }

server::Answer file_answer(const WebFile& file) {
  server::Answer answer;
  const bool has_hash = file.path.find('-') != std::string_view::npos;
  answer.headers = {
      {"Content-Type", std::string(file.media_type)},
      {"Cache-Control", has_hash ? "public, max-age=31536000, immutable" : "no-cache"}};
  add_common_headers(answer);
  answer.body = std::string(file.bytes);
  return answer;
}

server::Answer web_page() {
  for (const WebFile& file : web_files()) {
    if (file.path != "/index.html") continue;
    server::Answer answer;
    answer.headers = {{"Content-Type", std::string(file.media_type)},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", kContentPolicy}};
    add_common_headers(answer);
    answer.body = std::string(file.bytes);
    return answer;
  }
  return server::error_answer({404, "not_found", "this build has no web view"});
}

}  // namespace lakemill::api
