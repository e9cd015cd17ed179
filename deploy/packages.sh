# Sourced, not run: installs what is absent on Debian 12, and only that. Every need names a test
# and the package that satisfies it; with everything in place nothing is asked of the network.

packages_missing=""

# need_command COMMAND PACKAGE
need_command() {
    command -v "$1" >/dev/null 2>&1 || packages_missing="$packages_missing $2"
}

# need_library PKG-CONFIG-NAME PACKAGE
need_library() {
    { command -v pkg-config && pkg-config --exists "$1"; } >/dev/null 2>&1 ||
        packages_missing="$packages_missing $2"
}

need_build() {
    need_command cc gcc
    need_command meson meson
    need_command ninja ninja-build
    need_command pkg-config pkg-config
    need_library libmicrohttpd libmicrohttpd-dev
    need_library libcurl libcurl4-openssl-dev
    need_library jansson libjansson-dev
    need_library openssl libssl-dev
    need_library libpcre2-8 libpcre2-dev
    need_library sqlite3 libsqlite3-dev
    need_library libfyaml libfyaml-dev
    need_library zlib zlib1g-dev
    need_library xlsxwriter libxlsxwriter-dev
    need_library libarchive libarchive-dev
    need_library expat libexpat1-dev
    need_library icu-uc libicu-dev
    # Only its dictionary is read, at build time.
    [ -e /usr/lib/python3/dist-packages/jieba/dict.txt ] ||
        packages_missing="$packages_missing python3-jieba"
    # Embedded into the console's page.
    [ -e /usr/share/javascript/chart.js/chart.min.js ] ||
        packages_missing="$packages_missing libjs-chart.js"
    # A compiler without the C library's headers cannot build anything.
    [ -e /usr/include/stdlib.h ] || packages_missing="$packages_missing libc6-dev"
}

need_tests() {
    need_library cmocka libcmocka-dev
    need_command clang clang
    # The runtimes of the sanitizers and of libFuzzer are only a recommendation of clang's.
    ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 ||
        packages_missing="$packages_missing libclang-rt-14-dev"
    need_command clang-format clang-format
    need_command npm npm
    need_command node nodejs
    # The browser that clicks through the console, and a font that has its characters.
    need_command chromium chromium
    ls /usr/share/fonts/opentype/noto/NotoSansCJK*.ttc >/dev/null 2>&1 ||
        packages_missing="$packages_missing fonts-noto-cjk"
    # Another reader of the documents that a filing hands in.
    need_command zip zip
    need_command unzip unzip
    need_command soffice libreoffice-writer-nogui libreoffice-calc-nogui
    need_command pdftotext poppler-utils
}

# Installs what the needs found absent; returns non-zero, with a line that says what is missing,
# when that is not possible.
packages_install() {
    [ -n "$packages_missing" ] || return 0
    echo "installing:$packages_missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "this is no Debian: please install the counterparts of$packages_missing" >&2
        return 1
    fi
    packages_sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "neither root nor sudo: please install$packages_missing" >&2
            return 1
        fi
        packages_sudo=sudo
    fi
    # Word splitting is wanted: a list of names.
    # shellcheck disable=SC2086
    $packages_sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        $packages_missing >"$1" 2>&1 || {
        $packages_sudo apt-get update >>"$1" 2>&1 &&
            $packages_sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y \
                --no-install-recommends $packages_missing >>"$1" 2>&1
    } || {
        tail -n 20 "$1" >&2
        echo "could not install$packages_missing; the whole output is in $1" >&2
        return 1
    }
    packages_missing=""
}
