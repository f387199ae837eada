# What `make install` and `make dist` put below a prefix.
include(GNUInstallDirs)
set_target_properties(lakemill PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/lakemill")
install(TARGETS lakemill RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/docs/lakemill.1
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${LAKEMILL_DUCKDB_ROOT}/lib/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences RENAME duckdb)
# Header-only libraries that are in the binary, as Debian states their licences.
foreach(package nlohmann-json3-dev libcli11-dev)
  if(EXISTS /usr/share/doc/${package}/copyright)
    install(FILES /usr/share/doc/${package}/copyright
            DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences RENAME ${package})
  endif()
endforeach()
