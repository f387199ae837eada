#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/language/location.h"

namespace lakemill::language {

enum class Severity : std::uint8_t { error, warning, notice };

/// One thing to tell the author of a file.
struct Diagnostic {
  Severity severity = Severity::error;
  Location location;
  std::string path;     ///< "nodes[2].sinks[0].pth"; may be empty
  std::string message;  ///< what is wrong: "unknown key 'pth' at nodes[2].sinks[0]"
  std::string hint;     ///< what to do: "did you mean 'path'?"; may be empty
};

/// "file:line:col: error: message; hint".
std::string to_text(const Diagnostic& diagnostic);

/// Everything found while loading: all faults of a file, one for each cause.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic);
  void error(Location location, std::string path, std::string message,
             std::string hint);
  void warning(Location location, std::string path, std::string message,
               std::string hint);
  /// Told once, whatever number of places cause the same message.
  void notice(Location location, std::string path, std::string message,
              std::string hint);

  bool has_errors() const { return error_count_ > 0; }
  /// True if there is an error at `path` or at something inside it.
  bool has_error_in(std::string_view path) const;
  std::size_t error_count() const { return error_count_; }
  bool empty() const { return found_.empty(); }

  /// By file, line and column; equal ones once.
  std::vector<Diagnostic> sorted() const;

  /// The text form of all, one a line.
  std::string to_text() const;

 private:
  std::vector<Diagnostic> found_;
  std::size_t error_count_ = 0;
};

}  // namespace lakemill::language
