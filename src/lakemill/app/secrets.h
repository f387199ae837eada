#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::app {

/// Looks secrets up where the project says, at the moment of use, and remembers what it
/// gave so that it can be hidden.
///
/// Thread-safety: concurrent calls are allowed.
class Secrets {
 public:
  /// `folder`: what the file of `sources` is relative to.
  Secrets(language::SecretSources sources, std::string folder)
      : sources_(std::move(sources)), folder_(std::move(folder)) {}

  /// The value of a secret: of LAKEMILL_SECRET_<NAME>, else of the file (lines
  /// `NAME=value` or `NAME: value`), else what the command prints. Errors: not_found,
  /// with the places that were looked at.
  Result<std::string> find(const std::string& name);

  /// SQL with each `${secret.NAME}` replaced by a literal, or by escaped text where it
  /// stands in quotes. Errors: those of find(); invalid where no value can stand.
  Result<std::string> in_sql(std::string_view sql);

  /// Plain text with each `${secret.NAME}` replaced by its value. Errors: likewise.
  Result<std::string> in_text(std::string_view text);

  /// `text` with each value that was given, in capitals or not, replaced by "***".
  std::string hide(std::string text);
  /// True if a column of that name would tell a value that was given, as one does that
  /// is named after the expression it comes from.
  bool tells(std::string_view column);
  Error hide(const Error& error) { return {error.code(), hide(error.message())}; }

 private:
  using Put =
      std::function<Result<std::string>(const std::string& value, std::size_t offset)>;
  Result<std::string> replace(std::string_view text, const Put& put);
  Result<std::string> look_up(const std::string& name) const;
  Result<std::string> in_file(const std::string& name) const;

  language::SecretSources sources_;
  std::string folder_;
  std::mutex mutex_;
  std::map<std::string, std::string> given_;  // guarded by mutex_
};

}  // namespace lakemill::app
