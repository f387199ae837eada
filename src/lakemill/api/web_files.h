#pragma once

#include <span>
#include <string_view>

#include "lakemill/server/answer.h"

// The web view, which is built from web/ and embedded.

namespace lakemill::api {

struct WebFile {
  std::string_view path;  ///< "/assets/index.js"
  std::string_view media_type;
  std::string_view bytes;
};

/// The page and what it asks for. Names with a '-' end with a hash of the contents:
/// such a file may be kept for ever.
std::span<const WebFile> web_files();
/// Paths at which the page itself is answered: it shows by its own address what is
/// wanted.
std::span<const std::string_view> page_paths();

server::Answer file_answer(const WebFile& file);
/// The page, with the policy that holds for what it does.
server::Answer web_page();

}  // namespace lakemill::api
