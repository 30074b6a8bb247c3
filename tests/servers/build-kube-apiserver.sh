#!/usr/bin/env bash
# Builds the two programs of a Kubernetes control plane that the tests of the Kubernetes
# back end start, from Debian's source package: there is no binary package of them.
#
#   build-kube-apiserver.sh [FOLDER]
#
# FOLDER takes in kube-apiserver and kube-controller-manager; by default the folder where
# the tests look for them. Programs that are there already are kept. What was compiled
# when a build is broken off is used by the next one. Needs no rights but to write FOLDER.
# Says in one line why, with status 1, when it cannot.
set -euo pipefail

VERSION=1.20.2
PROGRAMS=(kube-apiserver kube-controller-manager)
PACKAGE=k8s.io/kubernetes
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

folder=${1:-${PLANNER_KUBERNETES_SERVER:-${XDG_CACHE_HOME:-$HOME/.cache}/carbon-batch-planner/kubernetes-$VERSION}}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$folder/work
tree=$work/go/src/$PACKAGE

fail() { echo "cannot build kube-apiserver: $*" >&2; exit 1; }

built() {
  local program
  for program in "${PROGRAMS[@]}"; do [ -x "$folder/$program" ] || return 1; done
}

apt() { # apt-get, on a list of its own: the machine's sources stay as they are
  apt-get -q -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" \
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- "$@"
}

unpack() { # the source package, by way of lists that Debian has signed
  local site
  [ -e "$work/unpacked" ] && return
  rm -rf "$tree"
  mkdir -p "$work/lists/partial" "$work/cache" "$work/package" "${tree%/*}"
  site=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | head -n 1)
  site=${site:-http://deb.debian.org/debian}
  echo "deb-src [signed-by=$KEYRING] $site bookworm main" >"$work/sources.list"
  apt update || fail "no package lists from $site"
  (cd "$work/package" && apt source --download-only kubernetes) ||
    fail "no source package from $site"
  dpkg-source --no-check -x "$work"/package/kubernetes_*.dsc "$tree"
  touch "$work/unpacked"
}

generate() { # the one generated file that the package lacks: schemas of all kinds
  local known=api/api-rules/violation_exceptions.list
  local folders
  [ -e "$work/generated" ] && return
  go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  folders=$(grep -rl --include='*.go' '^// *+k8s:openapi-gen=' pkg cmd plugin staging/src |
    grep -v -e code-generator -e sample- | sed -e "s|^staging/src|vendor|" -e "s|/[^/]*$||" -e "s|^|$PACKAGE/|" | sort -u)
  "$work/openapi-gen" --logtostderr -i "$(echo "$folders" | paste -sd,)" \
    -p "$PACKAGE/pkg/generated/openapi" -O zz_generated.openapi \
    -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/violations"
  diff "$work/violations" "$known" >/dev/null || fail "its generated schemas differ"
  touch "$work/generated"
}

compile() { # both, without the code of cloud providers, which is half of it
  local module flags=(-s -w)
  for module in client-go/pkg/version component-base/version; do
    module=$PACKAGE/vendor/k8s.io/$module
    flags+=(-X "$module.gitVersion=v$VERSION")
    flags+=(-X "$module.gitMajor=1" -X "$module.gitMinor=20")
  done
  mkdir -p "$work/bin"
  go build -tags providerless -ldflags "${flags[*]}" -o "$work/bin" "${PROGRAMS[@]/#/./cmd/}"
  mv "${PROGRAMS[@]/#/$work/bin/}" "$folder"
}

built && exit
for command in go apt-get dpkg-source flock; do
  command -v "$command" >/dev/null || fail "$command is missing"
done
[ -e "$KEYRING" ] || fail "$KEYRING is missing"
mkdir -p "$work"
exec 9>"$folder/lock"
flock 9 # one build at a time
built && exit

export GO111MODULE=off CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=local
export GOPATH=$work/go GOCACHE=$work/compiled
unpack
cd "$tree"
generate
compile
rm -rf "$work"
echo "built ${PROGRAMS[*]} $VERSION in $folder"
