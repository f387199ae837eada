#include "lakemill/engine_spark/spark_engine.h"

#include "lakemill/engine_spark/spark_session.h"

namespace lakemill::engine_spark {

namespace {

class SparkEngine final : public engine::Engine {
 public:
  SparkEngine(SparkOptions options, SparkServices services)
      : options_(std::move(options)), services_(services) {}

  Result<std::unique_ptr<engine::Session>> open_session(
      engine::SessionOptions options) override {
    return SparkSession::open(options_, services_, std::move(options));
  }

  Result<data::Schema> schema_of(const engine::FilesRelation& files) override {
    return services_.front.schema_of(files);
  }

 private:
  const SparkOptions options_;
  SparkServices services_;
};

}  // namespace

std::unique_ptr<engine::Engine> make_spark_engine(SparkOptions options,
                                                  SparkServices services) {
  return std::make_unique<SparkEngine>(std::move(options), services);
}

}  // namespace lakemill::engine_spark
