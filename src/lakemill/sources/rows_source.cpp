#include "lakemill/sources/rows_source.h"

#include "lakemill/base/hash.h"

namespace lakemill::sources {

namespace {

class RowsSource final : public Source {
 public:
  explicit RowsSource(std::string json_rows) : json_rows_(std::move(json_rows)) {}

  bool incremental() const override { return false; }

  Result<Offset> latest(const Offset&) override {
    return Json{{"rows", sha256_hex(json_rows_)}};
  }

  Result<Slice> read(const Offset&, const Offset&) override {
    return Slice{engine::RowsRelation{json_rows_, {}}, "NULL", "NULL",
                 "printf('%012d/%012d', {batch}, row_number() OVER ())", false};
  }

 private:
  std::string json_rows_;
};

}  // namespace

std::unique_ptr<Source> make_rows_source(std::string json_rows) {
  return std::make_unique<RowsSource>(std::move(json_rows));
}

}  // namespace lakemill::sources
