import Checkpoints
import Glibc

extension RunLock {
    /// Who has the lock of a run's folder.
    package enum Holder: Sendable, Equatable {
        case nobody
        /// A process that lives, by its own words.
        case process(String)
        /// Nobody, and the last owner never took leave: it was killed.
        case dead(String)
        /// It can't be found out, and why.
        case unknown(String)
    }

    /// Asks the lock itself, not a clock: it is free as soon as its owner is gone, however that went. Leaves it as it
    /// is.
    package static func holder(of folder: String) -> Holder {
        let path = "\(folder)/run.lock"
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            return errno == ENOENT ? .nobody : .unknown(String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        // Shared, so that two that look are not in each other's way; a run that starts meanwhile tries again.
        while flock(descriptor, LOCK_SH | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return .process(owner(descriptor))
            default: return .unknown(String(cString: strerror(errno)))
            }
        }
        defer { flock(descriptor, LOCK_UN) }
        var status = stat()
        let isEmpty = fstat(descriptor, &status) == 0 && status.st_size == 0
        return isEmpty ? .nobody : .dead(owner(descriptor))
    }
}
