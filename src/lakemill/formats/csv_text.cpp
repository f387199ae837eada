#include "lakemill/formats/csv_text.h"

#include <algorithm>

namespace lakemill::formats {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// The records of a document, from one to the next.
class CsvRecords {
 public:
  CsvRecords(std::string_view document, const CsvDialect& dialect)
      : text_(document), dialect_(dialect) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    for (std::int64_t i = 0; i < dialect.skipped_lines && !at_end(); ++i) skip_line();
  }

  /// False at the end.
  bool next() {
    fields_.assign(1, "");
    while (!at_end() && dialect_.comment != '\0' && text_[at_] == dialect_.comment) {
      skip_line();
    }
    if (at_end()) return false;
    first_line_ = line_;
    while (take_field()) fields_.emplace_back();
    return true;
  }

  const std::vector<std::string>& fields() const { return fields_; }
  std::int64_t line() const { return first_line_; }
  std::string_view end() const { return end_; }
  bool is_plain() const { return is_plain_; }

 private:
  bool at_end() const { return at_ >= text_.size(); }

  // "\r\n", "\r", "\n", or nothing.
  std::string_view end_here() const {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("\r\n")) return rest.substr(0, 2);
    const bool ends = rest.starts_with('\r') || rest.starts_with('\n');
    return rest.substr(0, ends ? 1 : 0);
  }

  void skip_line() {
    at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    at_ += end_here().size();
    ++line_;
  }

  // True if there is another field in the record behind it.
  bool take_field() {
    const bool is_quoted =
        dialect_.quote != '\0' && !at_end() && text_[at_] == dialect_.quote;
    if (is_quoted) take_quoted();
    while (!at_end()) {
      const std::string_view rest = text_.substr(at_);
      if (!dialect_.delimiter.empty() && rest.starts_with(dialect_.delimiter)) {
        at_ += dialect_.delimiter.size();
        return true;
      }
      const std::string_view end = end_here();
      if (!end.empty()) {
        end_ = end;
        at_ += end.size();
        ++line_;
        return false;
      }
      if (is_quoted || rest[0] == dialect_.quote) is_plain_ = false;
      fields_.back() += rest[0];
      ++at_;
    }
    end_ = {};
    return false;
  }

  void take_quoted() {
    for (++at_; !at_end(); ++at_) {
      const char letter = text_[at_];
      const bool escapes =
          dialect_.escape != '\0' && letter == dialect_.escape &&
          at_ + 1 < text_.size() &&
          (text_[at_ + 1] == dialect_.quote ||
           (dialect_.escape != dialect_.quote && text_[at_ + 1] == dialect_.escape));
      if (escapes) {
        fields_.back() += text_[++at_];
        continue;
      }
      if (letter == dialect_.quote) {
        ++at_;
        return;
      }
      const bool ends_line =
          letter == '\n' || (letter == '\r' && !text_.substr(at_).starts_with("\r\n"));
      if (ends_line) ++line_;
      fields_.back() += letter;
    }
    is_plain_ = false;
  }

  std::string_view text_;
  const CsvDialect& dialect_;
  std::vector<std::string> fields_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t first_line_ = 1;
  std::string_view end_;
  bool is_plain_ = true;
};

}  // namespace

std::optional<std::int64_t> line_of_field(std::string_view document,
                                          const CsvDialect& dialect, std::size_t index,
                                          std::string_view value) {
  CsvRecords records(document, dialect);
  while (records.next()) {
    const auto& fields = records.fields();
    if (index < fields.size() && fields[index] == value) return records.line();
  }
  return std::nullopt;
}

CsvEnds ends_of_records(std::string_view document, const CsvDialect& dialect) {
  CsvEnds ends;
  CsvRecords records(document, dialect);
  std::string_view first;
  while (records.next()) {
    if (first.empty()) first = records.end();
    const bool differs = !records.end().empty() && records.end() != first;
    if (differs && !ends.are_mixed) ends.line = records.line();
    ends.are_mixed = ends.are_mixed || differs;
  }
  ends.are_plain = records.is_plain();
  return ends;
}

}  // namespace lakemill::formats
