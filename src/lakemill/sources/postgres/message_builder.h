#pragma once

// Messages of pgoutput as a server writes them, for tests.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lakemill::sources::postgres {

class MessageBuilder {
 public:
  explicit MessageBuilder(char type) { bytes_ += type; }

  MessageBuilder& number(std::uint64_t value, int size) {
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
      bytes_ += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
    }
    return *this;
  }
  MessageBuilder& letter(char value) {
    bytes_ += value;
    return *this;
  }
  MessageBuilder& text(std::string_view value) {
    bytes_.append(value);
    bytes_ += '\0';
    return *this;
  }
  /// Texts; nothing is null; "<unchanged>" is a value that is not sent.
  MessageBuilder& tuple(const std::vector<std::optional<std::string>>& values) {
    number(values.size(), 2);
    for (const auto& value : values) {
      if (!value) {
        letter('n');
      } else if (*value == "<unchanged>") {
        letter('u');
      } else {
        letter('t').number(value->size(), 4);
        bytes_.append(*value);
      }
    }
    return *this;
  }
  std::string done() const { return bytes_; }

 private:
  std::string bytes_;
};

inline std::string begin_message(std::uint64_t commit_lsn, std::uint32_t transaction) {
  return MessageBuilder('B')
      .number(commit_lsn, 8)
      .number(0, 8)
      .number(transaction, 4)
      .done();
}

inline std::string commit_message(std::uint64_t commit_lsn, std::uint64_t end_lsn) {
  return MessageBuilder('C')
      .number(0, 1)
      .number(commit_lsn, 8)
      .number(end_lsn, 8)
      .number(0, 8)
      .done();
}

/// Table public.items (id int4, key; note text) as relation 7.
inline std::string items_message(char identity) {
  return MessageBuilder('R')
      .number(7, 4)
      .text("public")
      .text("items")
      .letter(identity)
      .number(2, 2)
      .number(1, 1)
      .text("id")
      .number(23, 4)
      .number(0xFFFFFFFFU, 4)
      .number(identity == 'f' ? 1 : 0, 1)
      .text("note")
      .number(25, 4)
      .number(0xFFFFFFFFU, 4)
      .done();
}

inline std::string insert_message(const std::string& id, const std::string& note) {
  return MessageBuilder('I').number(7, 4).letter('N').tuple({id, note}).done();
}

}  // namespace lakemill::sources::postgres
