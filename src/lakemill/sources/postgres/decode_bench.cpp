// How many changes of a recorded stream are decoded and spooled in a second of one
// core: an orders table of 12 columns, 80 % updates, 10 % inserts, 10 % deletes, ten to
// a transaction. bench/workloads/postgres-decode.yaml has the promise.

#include <cstdio>
#include <ctime>
#include <filesystem>

#include "lakemill/sources/postgres/change_writer.h"
#include "lakemill/sources/postgres/message_builder.h"

namespace lakemill::sources::postgres {
namespace {

constexpr int kTransactions = 100'000;
constexpr int kChangesEach = 10;

class NoLookup final : public TableLookup {
 public:
  Result<std::optional<TypeFacts>> type_facts(Oid) override {
    return std::optional<TypeFacts>();
  }
  Result<std::vector<std::string>> primary_key(const RelationMessage&) override {
    return std::vector<std::string>{"id"};
  }
  Result<std::optional<std::vector<std::optional<std::string>>>> row_now(
      const RelationMessage&, const std::vector<std::pair<std::string, std::string>>&,
      const std::vector<std::string>&) override {
    return std::optional<std::vector<std::optional<std::string>>>();
  }
};

std::string orders_message() {
  constexpr Oid kTypes[] = {20, 20, 25, 1700, 1184, 1114, 16, 23, 25, 3802, 2950, 1043};
  MessageBuilder builder('R');
  builder.number(7, 4).text("public").text("orders").letter('d').number(12, 2);
  for (int i = 0; i < 12; ++i) {
    builder.number(i == 0 ? 1 : 0, 1).text(i == 0 ? "id" : "c" + std::to_string(i));
    builder.number(kTypes[i], 4).number(0xFFFFFFFFU, 4);
  }
  return builder.done();
}

std::string change_message(int number) {
  const std::string id = std::to_string(number % 1'000'003);
  std::vector<std::optional<std::string>> row = {id,
                                                 "4711",
                                                 "customer " + id,
                                                 "129.95",
                                                 "2024-05-01 12:00:00.123456+00",
                                                 "2024-05-01 14:00:00",
                                                 "t",
                                                 "3",
                                                 std::nullopt,
                                                 R"({"door": 3, "gift": true})",
                                                 "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                                 "shipped"};
  if (number % 10 == 0) {
    return MessageBuilder('I').number(7, 4).letter('N').tuple(row).done();
  }
  if (number % 10 != 1) {
    return MessageBuilder('U').number(7, 4).letter('N').tuple(row).done();
  }
  for (std::size_t i = 1; i < row.size(); ++i) row[i].reset();
  return MessageBuilder('D').number(7, 4).letter('K').tuple(row).done();
}

void run(const std::string& folder) {
  std::vector<std::string> changes;
  for (int i = 0; i < 1000; ++i) changes.push_back(change_message(i));
  NoLookup lookup;
  ChangeWriter writer(folder, lookup);
  ChangeSpool spool(folder + "/spool", false);
  SpoolReader reader{"public", "orders", &spool, 0, {}};
  writer.set_readers({&reader});
  PgoutputDecoder decoder;
  const auto give = [&](const std::string& bytes) {
    auto message = decoder.decode(bytes);
    LAKEMILL_CHECK(message.has_value());
    LAKEMILL_CHECK(writer.take(**message).has_value());
  };
  const std::clock_t begin = std::clock();
  for (int i = 0; i < kTransactions; ++i) {
    const auto lsn = static_cast<std::uint64_t>(i + 1) * 0x100;
    give(begin_message(lsn, static_cast<std::uint32_t>(i)));
    if (i == 0) give(orders_message());
    for (int k = 0; k < kChangesEach; ++k) {
      give(changes[static_cast<std::size_t>(i * kChangesEach + k) % changes.size()]);
    }
    give(commit_message(lsn, lsn + 0x20));
    if (i % 1000 == 0) spool.release(lsn);
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const double rate = kTransactions * kChangesEach / seconds;
  std::printf("{\"changes_per_second\": %.0f}\n", rate);
}

}  // namespace
}  // namespace lakemill::sources::postgres

int main() {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("lakemill-decode-" + std::to_string(std::clock()));
  std::filesystem::create_directories(folder);
  lakemill::sources::postgres::run(folder.string());
  std::filesystem::remove_all(folder);
  return 0;
}
