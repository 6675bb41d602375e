import Glibc

/// What `~` and `$NAME` stand for.
package struct PathEnvironment: Sendable {
    let variable: @Sendable (_ name: String) -> String?
    /// The home folder of a user, nil: of the one who runs this.
    let home: @Sendable (_ user: String?) -> String?

    package init(
        variable: @escaping @Sendable (_ name: String) -> String?,
        home: @escaping @Sendable (_ user: String?) -> String?
    ) {
        self.variable = variable
        self.home = home
    }

    /// This process'.
    package static let process = PathEnvironment { name in
        getenv(name).map { String(cString: $0) }
    } home: { user in
        if user == nil, let home = getenv("HOME"), home.pointee != 0 { return String(cString: home) }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var space = [CChar](repeating: 0, count: 1 << 16)
        let code =
            if let user {
                getpwnam_r(user, &entry, &space, space.count, &found)
            } else {
                getpwuid_r(getuid(), &entry, &space, space.count, &found)
            }
        guard code == 0, found != nil, let home = entry.pw_dir, home.pointee != 0 else { return nil }
        return String(cString: home)
    }
}
