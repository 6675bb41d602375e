import Checkpoints
import Files
import Foundation

/// Keeps a second run out of a run's directory, from any node that shares it. The lock belongs to the open file: the
/// system takes it back when its owner ends, however it ends, so a dead run locks nothing.
package final class RunLock: Sendable {
    /// Negative: none.
    private let descriptor: Int32
    /// Set when nothing is kept out.
    package let warning: String?

    /// - Parameter run: a run's folder; a process of this very run that holds the lock already is no reason to refuse
    /// - Throws: `FileError` when another run holds the folder; it names the run.
    package init(_ folder: String, run: String? = nil) throws {
        let path = "\(folder)/run.lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        // A full disk or a read-only folder is not the lock's affair: whoever can go on without writing may.
        guard file >= 0 else {
            descriptor = file
            warning = "\(FileError.system("open it", path)): take care that no second run is started into the folder"
            return
        }
        var problem: Int32 = 0
        var patience = 5
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            problem = errno
            if problem == EWOULDBLOCK, patience > 0 {
                // Somebody may just be looking who holds it.
                patience -= 1
                usleep(20_000)
            } else if problem != EINTR {
                break
            }
            problem = 0
        }
        switch problem {
        case 0:
            descriptor = file
            warning = nil
            ftruncate(file, 0)
            let text = Array((Self.owner + Self.purpose(run)).utf8)
            // Only for the message of a second run: a full disk is no reason to stop here.
            _ = pwrite(file, text, text.count, 0)
        case EWOULDBLOCK:
            let owner = Self.owner(file)
            close(file)
            if let run, owner.hasSuffix(Self.purpose(run)) {
                descriptor = -1
                warning = nil
                return
            }
            throw FileError(
                path: folder, operation: "start a run in this folder",
                reason:
                    "another run is under way there: \(owner). Wait for its end or stop it, or give another "
                    + "run.directory (and checkpoint.directory, if it is set)"
            )
        default:
            descriptor = file
            warning =
                "\(folder): this file system gives no locks (\(String(cString: strerror(problem)))): "
                + "take care that no second run is started into the folder"
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        ftruncate(descriptor, 0)
        // By name: closing would leave it with a child that is just being started and still has the file open.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func purpose(_ run: String?) -> String { run.map { ", for the run in \($0)" } ?? "" }

    private static var owner: String {
        var now = time(nil)
        var local = tm()
        localtime_r(&now, &local)
        let length = 40
        let since = withUnsafeTemporaryAllocation(of: CChar.self, capacity: length) { memory in
            let count = strftime(memory.baseAddress!, length, "%Y-%m-%d %H:%M:%S %z", &local)
            return String(decoding: memory[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return "process \(getpid()) on \(ProcessInfo.processInfo.hostName), since \(since)"
    }

    /// What the owner wrote.
    static func owner(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX) + 500)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : "an unnamed one"
    }
}
