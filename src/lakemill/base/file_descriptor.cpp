#include "lakemill/base/file_descriptor.h"

#include <unistd.h>

namespace lakemill {

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
}

}  // namespace lakemill
