# Compiler and linker settings that every target of ours shares.
add_library(lakemill_flags INTERFACE)
target_compile_options(lakemill_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
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
