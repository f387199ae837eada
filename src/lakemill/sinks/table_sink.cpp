#include "lakemill/sinks/table_sink.h"

#include "lakemill/sinks/write_sink.h"

namespace lakemill::sinks {

std::unique_ptr<Sink> make_table_sink(TableSinkSpec spec, SinkServices services) {
  return std::make_unique<WriteSink>(std::move(spec), services);
}

}  // namespace lakemill::sinks
