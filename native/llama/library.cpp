#include "llama/library.h"

#include <stdexcept>

#ifdef _WIN32
#    define WIN32_LEAN_AND_MEAN
#    define NOMINMAX
#    include <windows.h>
#else
#    include <dlfcn.h>
#endif
#ifdef __linux__
#    include <elf.h>
#    include <fstream>
#endif

namespace z1 {

#ifdef _WIN32

Library Library::open(const std::filesystem::path & path) {
    const std::terminate_handler before = std::get_terminate();
    // The altered search path makes the library's own directory the first place for its dependencies.
    HMODULE handle = LoadLibraryExW(path.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (!handle) {
        char reason[512] = "";
        FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, GetLastError(), 0, reason,
                       sizeof(reason), nullptr);
        throw std::runtime_error(reason);
    }
    return Library(handle, before);
}

void * Library::symbol(const char * name) const {
    if (void * address = reinterpret_cast<void *>(GetProcAddress(static_cast<HMODULE>(handle), name))) {
        return address;
    }
    // GetProcAddress does not follow dependencies: ggml's functions live in its own libraries.
    for (const wchar_t * dependency : { L"ggml.dll", L"ggml-base.dll", L"libggml.dll", L"libggml-base.dll" }) {
        HMODULE module = GetModuleHandleW(dependency);
        if (module) {
            if (void * address = reinterpret_cast<void *>(GetProcAddress(module, name))) {
                return address;
            }
        }
    }
    return nullptr;
}

void Library::close() {
    FreeLibrary(static_cast<HMODULE>(handle));
    std::set_terminate(before);
}

bool Library::is_library(const std::string & file_name) {
    return file_name.ends_with(".dll");
}

std::filesystem::path Library::file_of(const void * address) {
    HMODULE module = nullptr;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            static_cast<LPCWSTR>(address), &module)) {
        return {};
    }
    wchar_t path[32768];
    const DWORD length = GetModuleFileNameW(module, path, 32768);
    return std::filesystem::path(path, path + length);
}

void Library::pin(const void * address) {
    HMODULE module = nullptr;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                       static_cast<LPCWSTR>(address), &module);
}

#else

#    ifdef __linux__
// The loader maps what the headers promise and reads it: of a file that was cut short, pages that are not there (SIGBUS).
// The section headers are what stands last.
void throw_if_cut_short(const std::filesystem::path & path) {
    Elf64_Ehdr header {};
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char *>(&header), sizeof(header));
    std::error_code failed;
    const uint64_t size = std::filesystem::file_size(path, failed);
    if (!failed && header.e_shoff + uint64_t { header.e_shnum } * header.e_shentsize > size) {
        throw std::runtime_error("the file is cut short");
    }
}
#    endif

Library Library::open(const std::filesystem::path & path) {
#    ifdef __linux__
    throw_if_cut_short(path);
#    endif
    const std::terminate_handler before = std::get_terminate();
    void * handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char * reason = dlerror();
        throw std::runtime_error(reason ? reason : "unknown reason");
    }
    return Library(handle, before);
}

void * Library::symbol(const char * name) const {
    return dlsym(handle, name);
}

void Library::close() {
    dlclose(handle);
    std::set_terminate(before);
}

bool Library::is_library(const std::string & file_name) {
#    ifdef __APPLE__
    if (file_name.ends_with(".dylib")) {
        return true;
    }
#    endif
    return file_name.ends_with(".so") || file_name.find(".so.") != std::string::npos;
}

std::filesystem::path Library::file_of(const void * address) {
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname ? std::filesystem::path(info.dli_fname) : std::filesystem::path();
}

void Library::pin(const void * address) {
    const auto file = file_of(address);
    if (!file.empty()) {
        dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

#endif

} // namespace z1
