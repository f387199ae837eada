#include "lakemill/access/slots.h"

namespace lakemill::access {

Slots::Held::Held(Slots& slots) : slots_(slots) {
  std::unique_lock lock(slots_.mutex_);
  slots_.freed_.wait(lock, [&] { return slots_.free_ > 0; });
  --slots_.free_;
}

Slots::Held::~Held() {
  {
    const std::lock_guard lock(slots_.mutex_);
    ++slots_.free_;
  }
  slots_.freed_.notify_one();
}

}  // namespace lakemill::access
