#pragma once

#include <optional>
#include <string>

#include "lakemill/data/type.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::flow {

/// A schema that a flow keeps as an object of its state; nothing where there is none.
/// Errors: corrupt, and those of the store.
Result<std::optional<data::Schema>> kept_schema(storage::ObjectStore& store,
                                                const std::string& path);

/// Keeps `schema` there, in place of the one before. Errors: those of the store.
Status keep_schema(storage::ObjectStore& store, const std::string& path,
                   const data::Schema& schema);

}  // namespace lakemill::flow
