#pragma once

#include <memory>
#include <utility>

#include "lakemill/delta/table_provider.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::testkit {

/// Opens every table anew, as a process that has just started does. Borrows both.
class FreshTables final : public delta::TableProvider {
 public:
  FreshTables(storage::StoreProvider& stores, delta::CheckpointFormat& format)
      : stores_(stores), format_(format) {}

  Result<std::shared_ptr<delta::Table>> open_url(std::string_view url) override {
    LAKEMILL_TRY(auto store, stores_.open(url));
    return std::make_shared<delta::Table>(std::move(store), format_);
  }

 private:
  storage::StoreProvider& stores_;
  delta::CheckpointFormat& format_;
};

}  // namespace lakemill::testkit
