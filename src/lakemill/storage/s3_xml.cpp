#include "lakemill/storage/s3_xml.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "lakemill/base/text.h"

namespace lakemill::storage {

namespace {

constexpr int kDepthMax = 32;

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// The character that "&name;" stands for.
std::optional<std::uint32_t> entity(std::string_view name) {
  if (name == "amp") return '&';
  if (name == "lt") return '<';
  if (name == "gt") return '>';
  if (name == "quot") return '"';
  if (name == "apos") return '\'';
  if (!name.starts_with('#')) return std::nullopt;
  name.remove_prefix(1);
  const bool hex = name.starts_with('x');
  if (hex) name.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [end, fault] =
      std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  if (fault != std::errc() || end != name.data() + name.size() || name.empty() ||
      code > 0x10FFFF) {
    return std::nullopt;
  }
  return code;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<XmlElement> document() {
    LAKEMILL_TRY_OK(skip_between());
    LAKEMILL_TRY(XmlElement root, element(0));
    LAKEMILL_TRY_OK(skip_between());
    if (at_ != text_.size()) return fault("text behind the end");
    return root;
  }

 private:
  Error fault(std::string_view what) const {
    return {ErrorCode::corrupt, "no readable XML: " + std::string(what) + " at byte " +
                                    std::to_string(at_)};
  }
  bool here(std::string_view sign) const { return text_.substr(at_).starts_with(sign); }
  Status skip_past(std::string_view sign) {
    const std::size_t found = text_.find(sign, at_);
    if (found == std::string_view::npos) return fault("an unfinished part");
    at_ = found + sign.size();
    return {};
  }
  // Spaces, comments and the declaration.
  Status skip_between() {
    while (at_ < text_.size()) {
      if (trim(text_.substr(at_, 1)).empty()) {
        ++at_;
      } else if (here("<!--")) {
        LAKEMILL_TRY_OK(skip_past("-->"));
      } else if (here("<?")) {
        LAKEMILL_TRY_OK(skip_past("?>"));
      } else {
        return {};
      }
    }
    return {};
  }

  Result<XmlElement> element(int depth);
  Status opening(XmlElement& read, bool& is_empty);
  Status characters(XmlElement& into);

  std::string_view text_;
  std::size_t at_ = 0;
};

// "<name attributes>" or "<name/>".
Status Reader::opening(XmlElement& read, bool& is_empty) {
  if (!here("<")) return fault("no element");
  const std::size_t name_end = text_.find_first_of(" \t\r\n/>", at_);
  if (name_end == std::string_view::npos || name_end == at_ + 1)
    return fault("no name");
  read.name = text_.substr(at_ + 1, name_end - at_ - 1);
  if (read.name.front() == '!') return fault("a document type");
  read.name.erase(0, read.name.find(':') + 1);  // npos + 1 is 0
  at_ = name_end;
  char quote = '\0';
  for (; at_ < text_.size(); ++at_) {
    const char letter = text_[at_];
    if (quote != '\0') {
      if (letter == quote) quote = '\0';
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
    } else if (letter == '>') {
      is_empty = text_[at_ - 1] == '/';
      ++at_;
      return {};
    }
  }
  return fault("an unfinished element");
}

// Text up to the next '<'.
Status Reader::characters(XmlElement& into) {
  while (at_ < text_.size() && text_[at_] != '<') {
    if (text_[at_] != '&') {
      into.text.push_back(text_[at_++]);
      continue;
    }
    const std::size_t end = text_.find(';', at_);
    if (end == std::string_view::npos) return fault("an unfinished entity");
    const auto code = entity(text_.substr(at_ + 1, end - at_ - 1));
    if (!code) return fault("an unknown entity");
    append_utf8(into.text, *code);
    at_ = end + 1;
  }
  return {};
}

Result<XmlElement> Reader::element(int depth) {
  if (depth > kDepthMax) return fault("elements too deep in each other");
  XmlElement read;
  bool is_empty = false;
  LAKEMILL_TRY_OK(opening(read, is_empty));
  if (is_empty) return read;
  while (at_ < text_.size()) {
    LAKEMILL_TRY_OK(characters(read));
    if (here("</")) {
      LAKEMILL_TRY_OK(skip_past(">"));
      return read;
    }
    if (here("<!--")) {
      LAKEMILL_TRY_OK(skip_past("-->"));
    } else if (here("<![CDATA[")) {
      const std::size_t begin = at_ + 9;
      LAKEMILL_TRY_OK(skip_past("]]>"));
      read.text.append(text_.substr(begin, at_ - 3 - begin));
    } else if (at_ < text_.size()) {
      LAKEMILL_TRY(XmlElement child, element(depth + 1));
      read.children.push_back(std::move(child));
    }
  }
  return fault("an element without end");
}

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  for (const XmlElement& candidate : children) {
    if (candidate.name == child) return &candidate;
  }
  return nullptr;
}

std::string XmlElement::child_text(std::string_view child) const {
  const XmlElement* found = find(child);
  return found == nullptr ? std::string() : found->text;
}

Result<XmlElement> parse_xml(std::string_view text) { return Reader(text).document(); }

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped.push_back(letter);
    }
  }
  return escaped;
}

}  // namespace lakemill::storage
