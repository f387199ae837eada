#include "lakemill/language/diagnostic.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lakemill::language {

namespace {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::notice:
      return "notice";
  }
  return "error";
}

auto rank(const Diagnostic& diagnostic) {
  return std::tie(diagnostic.location, diagnostic.severity, diagnostic.message,
                  diagnostic.hint);
}

}  // namespace

std::string to_text(const Diagnostic& diagnostic) {
  std::string text = to_text(diagnostic.location);
  if (!text.empty()) text += ": ";
  text += severity_name(diagnostic.severity);
  text += ": ";
  text += diagnostic.message;
  if (!diagnostic.hint.empty()) text += "; " + diagnostic.hint;
  return text;
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::notice &&
      std::any_of(found_.begin(), found_.end(), [&](const Diagnostic& other) {
        return other.severity == Severity::notice &&
               other.message == diagnostic.message;
      })) {
    return;
  }
  if (diagnostic.severity == Severity::error) ++error_count_;
  found_.push_back(std::move(diagnostic));
}

void Diagnostics::error(Location location, std::string path, std::string message,
                        std::string hint) {
  add({Severity::error, std::move(location), std::move(path), std::move(message),
       std::move(hint)});
}

void Diagnostics::warning(Location location, std::string path, std::string message,
                          std::string hint) {
  add({Severity::warning, std::move(location), std::move(path), std::move(message),
       std::move(hint)});
}

void Diagnostics::notice(Location location, std::string path, std::string message,
                         std::string hint) {
  add({Severity::notice, std::move(location), std::move(path), std::move(message),
       std::move(hint)});
}

bool Diagnostics::has_error_in(std::string_view path) const {
  if (error_count_ == 0) return false;
  return std::any_of(found_.begin(), found_.end(), [&](const Diagnostic& item) {
    const std::string_view rest =
        std::string_view(item.path).substr(std::min(path.size(), item.path.size()));
    return item.severity == Severity::error && item.path.starts_with(path) &&
           (rest.empty() || rest.front() == '.' || rest.front() == '[');
  });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> all = found_;
  std::stable_sort(
      all.begin(), all.end(),
      [](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
  all.erase(std::unique(all.begin(), all.end(),
                        [](const Diagnostic& a, const Diagnostic& b) {
                          return rank(a) == rank(b);
                        }),
            all.end());
  return all;
}

std::string Diagnostics::to_text() const {
  std::string text;
  for (const Diagnostic& diagnostic : sorted()) {
    text += language::to_text(diagnostic) + '\n';
  }
  return text;
}

}  // namespace lakemill::language
