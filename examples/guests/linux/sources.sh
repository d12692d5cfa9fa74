# SPDX-License-Identifier: BSD-2-Clause
# Sourced by build.sh: where the sources come from. Nothing of the machine's package configuration is changed.

# Sets linux_tarball and linux_version (a word that changes when the source does).
find_linux()
{
    linux_tarball=${DISCO_LINUX_SOURCE:-}
    if [ -n "$linux_tarball" ]; then
        [ -f "$linux_tarball" ] || die "DISCO_LINUX_SOURCE: no such file: $linux_tarball"
        linux_version=local-$(stat -c '%s-%Y' "$linux_tarball")
        return
    fi
    linux_tarball=/usr/src/linux-source-6.1.tar.xz
    linux_version=$(dpkg-query -W -f '${Version}' linux-source-6.1 2>/dev/null || true)
    [ -n "$linux_version" ] && [ -f "$linux_tarball" ] ||
        die "the kernel source is missing: install the Debian package linux-source-6.1"
}

# Unpacks once; sets pristine. Holds no lock itself: callers do.
unpack_linux()
{
    pristine=$src/linux-$linux_version
    [ -d "$pristine" ] && return
    say "unpacking $linux_tarball"
    rm -rf "$src"/linux-*.tmp
    mkdir "$pristine.tmp"
    run_logged "$src/unpack.log" "" "" tar -xf "$linux_tarball" --strip-components=1 -C "$pristine.tmp"
    [ -f "$pristine.tmp/arch/mips/Kconfig" ] || die "$linux_tarball holds no Linux source"
    mv "$pristine.tmp" "$pristine"
}

# The machine's own deb entries, as deb-src entries, in a folder of ours. Entries of other vendors are left out
# when the machine knows which of its sources are Debian's.
write_source_lists()
{
    local dir=$1 f hosts apt_list= apt_parts=
    eval "$(apt-config shell apt_list Dir::Etc::sourcelist/f apt_parts Dir::Etc::sourceparts/d)"
    rm -rf "$dir"
    mkdir -p "$dir/parts"
    hosts=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's|^Debian ||p' | sed 's|/*$||' | sort -u) || true
    for f in "$apt_list" "$apt_parts"/*.list; do
        [ -f "$f" ] || continue
        sed -nE 's/^[[:space:]]*deb[[:space:]]+/deb-src /p' "$f" | keep_debian lines "$hosts" \
            >"$dir/parts/$(basename "$f" .list).list"
    done
    for f in "$apt_parts"/*.sources; do
        [ -f "$f" ] || continue
        sed -E '/^#/d; s/^Types:.*/Types: deb-src/I' "$f" |
            keep_debian stanzas "$hosts" >"$dir/parts/${f##*/}"
    done
    : >"$dir/empty.list"
    find "$dir/parts" -type f -empty -delete
    [ -n "$(ls "$dir/parts")" ] || die "no package source of Debian is configured for apt"
}

# keep_debian lines|stanzas HOSTS: filters one-line entries or deb822 stanzas by the URIs of Debian's archives.
keep_debian()
{
    local hosts=$2 rs='\n'
    [ "$1" = lines ] || rs=
    HOSTS=$hosts awk -v RS="$rs" -v ORS="$([ "$1" = lines ] && printf '\\n' || printf '\\n\\n')" '
        BEGIN { n = split(ENVIRON["HOSTS"], uri, "\n") }
        tolower($0) ~ /(^|\n)enabled:[ \t]*(no|false|0)/ { next }
        !/[^ \t\n]/ { next }
        n == 0 { print; next }
        { for (i = 1; i <= n; i++) if (index($0, uri[i])) { print; next } }'
}

# download_package NAME DIR: Debian's source package into a folder; prints nothing, dies with one line.
download_package()
{
    local name=$1 dir=$2 apt=$src/apt log=$src/$1-download.log options
    write_source_lists "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    options=(-o Dir::Etc::SourceList="$apt/empty.list" -o Dir::Etc::SourceParts="$apt/parts"
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none
        -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=3)
    say "fetching the source package list"
    apt-get "${options[@]}" update >"$log" 2>&1 </dev/null || true
    say "fetching the source package $name"
    (cd "$dir" && apt-get "${options[@]}" source --download-only "$name") >>"$log" 2>&1 </dev/null ||
        die "the source package $name cannot be fetched from the configured Debian sources: $(
            grep -m 1 '^[EW]:' "$log" || echo 'unknown cause') (log: $log)"
}

# find_package NAME VARIABLE: sets package_source (a .dsc or a tarball) and package_version. What the environment
# variable names comes first.
find_package()
{
    local name=$1 folder=$src/$1-package
    package_source=${!2:-}
    if [ -n "$package_source" ]; then
        [ -f "$package_source" ] || die "$2: no such file: $package_source"
        package_version=local-$(stat -c '%s-%Y' "$package_source")
        return
    fi
    if [ ! -d "$folder" ]; then
        rm -rf "$folder.tmp"
        mkdir "$folder.tmp"
        need dpkg-source dpkg-dev
        download_package "$name" "$folder.tmp"
        mv "$folder.tmp" "$folder"
    fi
    package_source=$(echo "$folder"/*.dsc)
    [ -f "$package_source" ] || die "no .dsc in $folder: remove that folder and start again"
    package_version=$(sed -n 's/^Version: *\([0-9]*:\)\?//p' "$package_source" | head -n 1)
}

# unpack_package SOURCE DIR FILE: unpacks a .dsc or a tarball; FILE is one that has to be there then.
unpack_package()
{
    say "unpacking $1"
    rm -rf "$2"
    case $1 in
    *.dsc)
        need dpkg-source dpkg-dev
        run_logged "$src/unpack.log" "" "" dpkg-source --no-check --no-copy -x "$1" "$2" ;;
    *)
        mkdir "$2"
        run_logged "$src/unpack.log" "" "" tar -xf "$1" --strip-components=1 -C "$2" ;;
    esac
    [ -f "$2/$3" ] || die "$1 is not what was expected: it holds no $3"
}

# Sets busybox_source and busybox_version.
find_busybox()
{
    find_package busybox DISCO_BUSYBOX_SOURCE
    busybox_source=$package_source busybox_version=$package_version
}

# Unpacks once; sets busybox_tree.
unpack_busybox()
{
    busybox_tree=$src/busybox-$busybox_version
    [ -d "$busybox_tree" ] && return
    unpack_package "$busybox_source" "$busybox_tree.tmp" applets/applets.c
    mv "$busybox_tree.tmp" "$busybox_tree"
}

# Sets sqlite_source and sqlite_version.
find_sqlite()
{
    find_package sqlite3 DISCO_SQLITE_SOURCE
    sqlite_source=$package_source sqlite_version=$package_version
}
