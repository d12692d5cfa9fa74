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

# Downloads Debian's BusyBox source package into a folder; prints nothing, dies with one line.
download_busybox()
{
    local dir=$1 apt=$src/apt log=$src/busybox-download.log options
    write_source_lists "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    options=(-o Dir::Etc::SourceList="$apt/empty.list" -o Dir::Etc::SourceParts="$apt/parts"
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none
        -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=3)
    say "fetching the source package list"
    apt-get "${options[@]}" update >"$log" 2>&1 </dev/null || true
    say "fetching the BusyBox source package"
    (cd "$dir" && apt-get "${options[@]}" source --download-only busybox) >>"$log" 2>&1 </dev/null ||
        die "the BusyBox source package cannot be fetched from the configured Debian sources: $(
            grep -m 1 '^[EW]:' "$log" || echo 'unknown cause') (log: $log)"
}

# Sets busybox_source (a .dsc or a tarball) and busybox_version.
find_busybox()
{
    busybox_source=${DISCO_BUSYBOX_SOURCE:-}
    if [ -n "$busybox_source" ]; then
        [ -f "$busybox_source" ] || die "DISCO_BUSYBOX_SOURCE: no such file: $busybox_source"
        busybox_version=local-$(stat -c '%s-%Y' "$busybox_source")
        return
    fi
    if [ ! -d "$src/busybox-package" ]; then
        rm -rf "$src/busybox-package.tmp"
        mkdir "$src/busybox-package.tmp"
        need dpkg-source dpkg-dev
        download_busybox "$src/busybox-package.tmp"
        mv "$src/busybox-package.tmp" "$src/busybox-package"
    fi
    busybox_source=$(echo "$src"/busybox-package/*.dsc)
    [ -f "$busybox_source" ] || die "no .dsc in $src/busybox-package: remove that folder and start again"
    busybox_version=$(sed -n 's/^Version: *[0-9]*:*//p' "$busybox_source" | head -n 1)
}

# Unpacks once; sets busybox_tree.
unpack_busybox()
{
    busybox_tree=$src/busybox-$busybox_version
    [ -d "$busybox_tree" ] && return
    say "unpacking $busybox_source"
    rm -rf "$busybox_tree.tmp"
    case $busybox_source in
    *.dsc)
        need dpkg-source dpkg-dev
        run_logged "$src/unpack.log" "" "" dpkg-source --no-check --no-copy -x "$busybox_source" "$busybox_tree.tmp" ;;
    *)
        mkdir "$busybox_tree.tmp"
        run_logged "$src/unpack.log" "" "" tar -xf "$busybox_source" --strip-components=1 -C "$busybox_tree.tmp" ;;
    esac
    [ -f "$busybox_tree.tmp/applets/applets.c" ] || die "$busybox_source holds no BusyBox source"
    mv "$busybox_tree.tmp" "$busybox_tree"
}
