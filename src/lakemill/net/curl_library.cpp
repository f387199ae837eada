#include "lakemill/net/curl_library.h"

#include <dlfcn.h>

namespace lakemill::net {

namespace {

// Debian's and Fedora's builds, the second with GnuTLS.
constexpr const char* kNames[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

struct Loaded {
  CurlLibrary library;
  std::string problem;  // empty if all is there
};

template <typename Function>
void find(void* handle, const char* name, Function& function, std::string& problem) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  if (function == nullptr && problem.empty()) {
    problem = std::string("it has no function ") + name;
  }
}

Loaded load_all() {
  Loaded loaded;
  void* handle = nullptr;
  for (const char* name : kNames) {
    handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) break;
  }
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    loaded.problem = reason == nullptr ? "it was not found" : reason;
    return loaded;
  }
  auto& [library, problem] = loaded;
  find(handle, "curl_global_init", library.global_init, problem);
  find(handle, "curl_easy_init", library.easy_init, problem);
  find(handle, "curl_easy_cleanup", library.easy_cleanup, problem);
  find(handle, "curl_easy_reset", library.easy_reset, problem);
  find(handle, "curl_easy_setopt", library.easy_setopt, problem);
  find(handle, "curl_easy_perform", library.easy_perform, problem);
  find(handle, "curl_easy_getinfo", library.easy_getinfo, problem);
  find(handle, "curl_easy_strerror", library.easy_strerror, problem);
  find(handle, "curl_slist_append", library.slist_append, problem);
  find(handle, "curl_slist_free_all", library.slist_free_all, problem);
  find(handle, "curl_url", library.url, problem);
  find(handle, "curl_url_cleanup", library.url_cleanup, problem);
  find(handle, "curl_url_get", library.url_get, problem);
  find(handle, "curl_url_set", library.url_set, problem);
  find(handle, "curl_free", library.free, problem);
  if (problem.empty() && library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    problem = "it does not start";
  }
  return loaded;
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::load() {
  static const Loaded loaded = load_all();
  if (loaded.problem.empty()) return &loaded.library;
  return Error(ErrorCode::unsupported,
               "the library libcurl cannot be loaded, which object stores need "
               "(Debian: apt-get install libcurl4): " +
                   loaded.problem);
}

}  // namespace lakemill::net
