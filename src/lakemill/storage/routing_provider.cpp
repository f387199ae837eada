#include "lakemill/storage/routing_provider.h"

#include "lakemill/base/text.h"
#include "lakemill/storage/path.h"

namespace lakemill::storage {

namespace {

class RoutingProvider final : public StoreProvider {
 public:
  RoutingProvider(std::unique_ptr<StoreProvider> local,
                  std::map<std::string, std::shared_ptr<StoreProvider>> by_scheme)
      : local_(std::move(local)), by_scheme_(std::move(by_scheme)) {}

  Result<std::shared_ptr<ObjectStore>> open(std::string_view url) override {
    if (!has_scheme(url)) return local_->open(url);
    const std::string scheme = to_lower(url.substr(0, url.find("://")));
    const auto found = by_scheme_.find(scheme);
    if (found != by_scheme_.end()) return found->second->open(url);
    if (scheme == "file") return local_->open(url);
    std::string known;
    for (const auto& [name, provider] : by_scheme_) known += ", " + name + "://…";
    return Error(ErrorCode::unsupported,
                 "\"" + std::string(url) + "\": storage scheme \"" + scheme +
                     "://\" is not supported; use a local folder "
                     "(/… or file:///…)" +
                     known);
  }

 private:
  std::unique_ptr<StoreProvider> local_;
  std::map<std::string, std::shared_ptr<StoreProvider>> by_scheme_;
};

}  // namespace

std::unique_ptr<StoreProvider> make_routing_provider(
    std::unique_ptr<StoreProvider> local,
    std::map<std::string, std::shared_ptr<StoreProvider>> by_scheme) {
  return std::make_unique<RoutingProvider>(std::move(local), std::move(by_scheme));
}

}  // namespace lakemill::storage
