#pragma once

#include <memory>
#include <string>

#include "lakemill/delta/ports.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// For tests: a checkpoint format whose "Parquet" files are the JSON lines themselves.
/// A file that begins with "!" cannot be read.
class JsonLinesFormat final : public CheckpointFormat {
 public:
  explicit JsonLinesFormat(storage::ObjectStore& store) : store_(store) {}

  Result<std::string> read(std::string_view url) override {
    LAKEMILL_TRY(std::string text, store_.get(path_of(url)));
    if (text.starts_with('!')) return Error(ErrorCode::corrupt, "not a Parquet file");
    ++read_count;
    return text;
  }

  Result<std::int64_t> write(std::string_view url, std::string_view actions) override {
    LAKEMILL_TRY_OK(store_.put(path_of(url), actions));
    return static_cast<std::int64_t>(actions.size());
  }

  int read_count = 0;

 private:
  std::string_view path_of(std::string_view url) const {
    return url.substr(store_.url().size() + 1);
  }

  storage::ObjectStore& store_;
};

}  // namespace lakemill::delta
