// A dynamic library of the engine: open, look up, and the few platform differences. Nothing else in the project is
// platform-specific.
#pragma once

#include <exception>
#include <filesystem>
#include <string>

namespace z1 {

/// The path as llama.cpp, ggml and messages take it, on Windows too.
inline std::string to_utf8(const std::filesystem::path & path) {
    const std::u8string bytes = path.u8string();
    return std::string(bytes.begin(), bytes.end());
}

class Library {
public:
    /// Opens with all symbols bound and none made global. Throws std::runtime_error with the loader's reason.
    static Library open(const std::filesystem::path & path);

    /// Address of a symbol in the library or in what it depends on, or null.
    void * symbol(const char * name) const;

    /// Gives the library back to the system. Only for a library of which nothing was called but version and score
    /// functions: backends and threads of an engine in use must never lose their code. What ggml made the terminate
    /// handler when it was loaded goes with it: it asserts, when it is loaded again, that it is not there yet (ggml.cpp).
    void close();

    /// Whether a file's name is that of a library, versions behind the suffix included. ggml's backends are `.so` on
    /// macOS too (ggml-backend-reg.cpp, backend_filename_extension).
    static bool is_library(const std::string & file_name);

    /// File that holds the code at an address, or an empty path.
    static std::filesystem::path file_of(const void * address);

    /// Keeps the file that holds this address mapped until the process ends. Node unloads an addon when the last
    /// worker that required it exits, while its exit handler and its threads may still have to run.
    static void pin(const void * address);

private:
    Library(void * handle, std::terminate_handler before) : handle(handle), before(before) {}

    void * handle;
    std::terminate_handler before;
};

} // namespace z1
