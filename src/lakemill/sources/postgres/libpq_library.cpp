#include "lakemill/sources/postgres/libpq_library.h"

#include <string>

#include <dlfcn.h>

namespace lakemill::sources::postgres {

namespace {

constexpr const char* kLibrary = "libpq.so.5";

class Loader {
 public:
  explicit Loader(void* handle) : handle_(handle) {}

  template <typename Function>
  void load(Function& function, const char* name) {
    void* symbol = dlsym(handle_, name);
    if (symbol == nullptr && missing_.empty()) missing_ = name;
    function = reinterpret_cast<Function>(symbol);
  }
  const std::string& missing() const { return missing_; }

 private:
  void* handle_;
  std::string missing_;
};

void load_connecting(Loader& loader, LibpqLibrary& library) {
  loader.load(library.conninfo_parse, "PQconninfoParse");
  loader.load(library.conninfo_free, "PQconninfoFree");
  loader.load(library.free_memory, "PQfreemem");
  loader.load(library.connect_start, "PQconnectStartParams");
  loader.load(library.connect_poll, "PQconnectPoll");
  loader.load(library.finish, "PQfinish");
  loader.load(library.status, "PQstatus");
  loader.load(library.socket, "PQsocket");
  loader.load(library.error_message, "PQerrorMessage");
  loader.load(library.set_error_verbosity, "PQsetErrorVerbosity");
  loader.load(library.server_version, "PQserverVersion");
  loader.load(library.parameter_status, "PQparameterStatus");
  loader.load(library.get_cancel, "PQgetCancel");
  loader.load(library.cancel, "PQcancel");
  loader.load(library.free_cancel, "PQfreeCancel");
}

void load_querying(Loader& loader, LibpqLibrary& library) {
  loader.load(library.send_query_params, "PQsendQueryParams");
  loader.load(library.send_query, "PQsendQuery");
  loader.load(library.consume_input, "PQconsumeInput");
  loader.load(library.is_busy, "PQisBusy");
  loader.load(library.get_result, "PQgetResult");
  loader.load(library.result_status, "PQresultStatus");
  loader.load(library.result_error_field, "PQresultErrorField");
  loader.load(library.result_error_message, "PQresultErrorMessage");
  loader.load(library.row_count, "PQntuples");
  loader.load(library.column_count, "PQnfields");
  loader.load(library.is_null, "PQgetisnull");
  loader.load(library.value, "PQgetvalue");
  loader.load(library.length, "PQgetlength");
  loader.load(library.clear, "PQclear");
  loader.load(library.get_copy_data, "PQgetCopyData");
  loader.load(library.put_copy_data, "PQputCopyData");
  loader.load(library.put_copy_end, "PQputCopyEnd");
  loader.load(library.flush, "PQflush");
}

Result<LibpqLibrary> load() {
  void* handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Error(ErrorCode::unsupported,
                 "reading from PostgreSQL needs its client library " +
                     std::string(kLibrary) +
                     ", which this machine lacks; install it (Debian: apt-get install "
                     "libpq5)");
  }
  LibpqLibrary library;
  Loader loader(handle);
  load_connecting(loader, library);
  load_querying(loader, library);
  if (!loader.missing().empty()) {
    return Error(ErrorCode::unsupported, std::string(kLibrary) +
                                             " of this machine is too old: it lacks " +
                                             loader.missing() +
                                             "; install PostgreSQL's client library of "
                                             "version 12 or later");
  }
  return library;
}

}  // namespace

Result<const LibpqLibrary*> libpq() {
  static const Result<LibpqLibrary> kLoaded = load();
  if (!kLoaded) return kLoaded.error();
  return &kLoaded.value();
}

}  // namespace lakemill::sources::postgres
