# Compiler and linker settings that every target of ours shares.
add_library(lakemill_flags INTERFACE)
target_compile_options(lakemill_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  $<$<BOOL:${LAKEMILL_WARNINGS_AS_ERRORS}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # gcc 12 sees such things in std::string, std::variant and std::regex once it inlines or
  # instruments them (its bugs 105651, 105562).
  target_compile_options(lakemill_flags INTERFACE
    -Wno-restrict -Wno-array-bounds -Wno-stringop-overread -Wno-stringop-overflow
    -Wno-maybe-uninitialized)
endif()
if(LAKEMILL_SANITIZE)
  target_compile_options(lakemill_flags INTERFACE
    -fsanitize=${LAKEMILL_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(lakemill_flags INTERFACE -fsanitize=${LAKEMILL_SANITIZE})
endif()

find_program(LAKEMILL_CCACHE ccache)
if(LAKEMILL_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${LAKEMILL_CCACHE})
endif()

find_program(LAKEMILL_MOLD mold)
if(LAKEMILL_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()

# What nearly every file includes. A clean build parses it once; objects made with a
# precompiled header are not shared by ccache between build folders, so it is for release.
if(LAKEMILL_PRECOMPILE)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
  add_library(lakemill_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_compile_features(lakemill_precompiled PUBLIC cxx_std_20)
  target_link_libraries(lakemill_precompiled PRIVATE lakemill_flags)
  target_precompile_headers(lakemill_precompiled PRIVATE
    <algorithm> <chrono> <functional> <map> <memory> <optional> <set> <string> <utility>
    <variant> <vector> <nlohmann/json.hpp>)
endif()
