#include "lakemill/sinks/table_sink.h"

#include "lakemill/sinks/engine_sink.h"
#include "lakemill/sinks/merge_sink.h"
#include "lakemill/sinks/write_sink.h"

namespace lakemill::sinks {

std::unique_ptr<Sink> make_table_sink(TableSinkSpec spec, SinkServices services) {
  if (spec.mode == WriteMode::merge) {
    LAKEMILL_CHECK(spec.changes.has_value());
    return std::make_unique<MergeSink>(std::move(spec), services);
  }
  return std::make_unique<WriteSink>(std::move(spec), services);
}

std::unique_ptr<Sink> make_engine_sink(TableSinkSpec spec, SinkServices services) {
  LAKEMILL_CHECK(spec.mode != WriteMode::merge);
  return std::make_unique<EngineSink>(std::move(spec), services);
}

}  // namespace lakemill::sinks
