// A test runner in one header. TEST(name) { … } registers a test; CHECK, CHECK_EQ and CHECK_THROWS report one line for each
// failed check and go on. main() runs the executable's tests, or those whose name contains its first argument, and returns 1
// when a check failed. Checks may run on threads that a test starts and joins.
#pragma once

#include <atomic>
#include <cstdio>
#include <exception>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace check {

struct Test {
    const char * name;
    void (*body)();
};

inline std::vector<Test> & tests() {
    static std::vector<Test> all;
    return all;
}

inline std::atomic<int> failures { 0 };
inline const char * running = "";

struct Registration {
    Registration(const char * name, void (*body)()) { tests().push_back({ name, body }); }
};

inline void fail(const char * file, int line, const std::string & message) {
    ++failures;
    std::fprintf(stderr, "%s:%d: %s: %s\n", file, line, running, message.c_str());
}

template <typename T>
concept is_optional = requires(const T & value) {
    value.has_value();
    *value;
};

template <typename T>
std::string show(const T & value) {
    std::ostringstream out;
    if constexpr (std::is_same_v<T, bool>) {
        out << (value ? "true" : "false");
    } else if constexpr (std::is_enum_v<T>) {
        out << static_cast<long long>(value);
    } else if constexpr (std::is_convertible_v<const T &, std::string_view>) {
        out << '"' << std::string_view(value) << '"';
    } else if constexpr (std::ranges::range<const T>) {
        const char * separator = "";
        out << '[';
        for (const auto & item : value) {
            out << std::exchange(separator, ", ") << show(item);
        }
        out << ']';
    } else if constexpr (is_optional<T>) {
        out << (value.has_value() ? show(*value) : "nothing");
    } else if constexpr (requires { out << value; }) {
        out << value;
    } else {
        out << "a value that cannot be printed";
    }
    return out.str();
}

template <typename T>
constexpr bool is_number = std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;

template <typename A, typename B>
bool equal(const A & a, const B & b) {
    if constexpr (is_number<A> && is_number<B>) {
        return std::cmp_equal(a, b);
    } else {
        return a == b;
    }
}

template <typename A, typename B>
void check_equal(const char * file, int line, const char * what, const A & a, const B & b) {
    if (!equal(a, b)) {
        fail(file, line, std::string("CHECK_EQ(") + what + "): " + show(a) + " is not " + show(b));
    }
}

inline int run(std::string_view filter) {
    int count = 0;
    for (const Test & test : tests()) {
        if (std::string_view(test.name).find(filter) == std::string_view::npos) {
            continue;
        }
        ++count;
        running = test.name;
        try {
            test.body();
        } catch (const std::exception & error) {
            fail(__FILE__, __LINE__, std::string("threw ") + error.what());
        } catch (...) {
            fail(__FILE__, __LINE__, "threw something that is no std::exception");
        }
    }
    std::printf("%d tests, %d failed checks\n", count, failures.load());
    return count > 0 && failures == 0 ? 0 : 1;
}

} // namespace check

#define TEST(name)                                                        \
    static void test_##name();                                            \
    static const check::Registration register_##name(#name, test_##name); \
    static void test_##name()

#define CHECK(...) ((__VA_ARGS__) ? void() : check::fail(__FILE__, __LINE__, "CHECK(" #__VA_ARGS__ ")"))

#define CHECK_EQ(a, b) check::check_equal(__FILE__, __LINE__, #a ", " #b, (a), (b))

#define CHECK_THROWS(Type, ...)                                                                             \
    do {                                                                                                    \
        bool thrown = false;                                                                                \
        try {                                                                                               \
            static_cast<void>(__VA_ARGS__);                                                                 \
        } catch (const Type &) {                                                                            \
            thrown = true;                                                                                  \
        }                                                                                                   \
        if (!thrown) {                                                                                      \
            check::fail(__FILE__, __LINE__, "CHECK_THROWS(" #Type ", " #__VA_ARGS__ "): did not throw it"); \
        }                                                                                                   \
    } while (false)

int main(int argc, char ** argv) {
    return check::run(argc > 1 ? argv[1] : "");
}
