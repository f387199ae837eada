#include "lakemill/api/page_routes.h"

#include "lakemill/api/web_files.h"

namespace lakemill::api {

std::vector<Route> page_routes() {
  std::vector<Route> routes;
  for (const std::string_view path : page_paths()) {
    routes.push_back({"GET", path, Permit::open(), "A page of the web view.", 0,
                      [](const Call&) { return web_page(); }});
  }
  for (const WebFile& file : web_files()) {
    if (file.path == "/index.html") continue;  // that is the page
    routes.push_back({"GET", file.path, Permit::open(), "A file of the web view.", 0,
                      [&file](const Call&) { return file_answer(file); }});
  }
  return routes;
}

}  // namespace lakemill::api
