//! What each problem is called and what to do about it, in both languages. It knows no request.

use schema::problem::ProblemCode;

use crate::language::Language;

/// All problems, in the order of their pages.
pub const ALL: [ProblemCode; 25] = [
    ProblemCode::Unauthenticated,
    ProblemCode::WrongPassword,
    ProblemCode::WrongCode,
    ProblemCode::RefreshReused,
    ProblemCode::DeviceRevoked,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::Invalid,
    ProblemCode::Malformed,
    ProblemCode::Truncated,
    ProblemCode::TamperedFile,
    ProblemCode::ForeignFile,
    ProblemCode::TooLarge,
    ProblemCode::UnsupportedMedia,
    ProblemCode::ProtocolUnsupported,
    ProblemCode::OffsetMismatch,
    ProblemCode::ChecksumMismatch,
    ProblemCode::UploadSuperseded,
    ProblemCode::Conflict,
    ProblemCode::SecondPerson,
    ProblemCode::TooMany,
    ProblemCode::TooSlow,
    ProblemCode::StorageFull,
    ProblemCode::Unavailable,
    ProblemCode::Internal,
];

/// The code as it stands in a document and in the address of its page.
pub fn name(code: ProblemCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::from("internal"),
    }
}

/// Title and detail of a problem.
pub fn words(code: ProblemCode, language: Language) -> (&'static str, &'static str) {
    let ((title_zh, detail_zh), (title_en, detail_en)) = both(code);
    match language {
        Language::Zh => (title_zh, detail_zh),
        Language::En => (title_en, detail_en),
    }
}

type Words = (&'static str, &'static str);

fn both(code: ProblemCode) -> (Words, Words) {
    match code {
        ProblemCode::Unauthenticated
        | ProblemCode::WrongPassword
        | ProblemCode::WrongCode
        | ProblemCode::RefreshReused
        | ProblemCode::DeviceRevoked
        | ProblemCode::Forbidden => of_identity(code),
        ProblemCode::TamperedFile | ProblemCode::ForeignFile => of_files(code),
        ProblemCode::OffsetMismatch
        | ProblemCode::ChecksumMismatch
        | ProblemCode::UploadSuperseded
        | ProblemCode::StorageFull => of_uploads(code),
        ProblemCode::NotFound => (
            ("没有找到", "没有这个对象,或者您无权查看。"),
            ("Not found", "There is no such thing, or none that you may see."),
        ),
        ProblemCode::Invalid => (
            ("数值不合要求", "请更正 field 所指的内容后重试。"),
            ("A value does not fit", "Correct the member that `field` names and try again."),
        ),
        ProblemCode::Malformed => (
            ("请求格式不正确", "请求内容不是所要求的格式,请对照接口文档。"),
            ("The request is malformed", "The request is not in the form asked for: see the API document."),
        ),
        ProblemCode::Truncated => (
            ("内容不完整", "内容在传输中被截断,没有任何改动,请重新发送。"),
            ("The body was cut short", "The body ended before its time. Nothing was changed: send it again."),
        ),
        ProblemCode::TooLarge => (
            ("内容过大", "请减少一次发送的数量或大小后重试。"),
            ("Too large", "Send fewer or smaller things at a time."),
        ),
        ProblemCode::UnsupportedMedia => (
            ("不支持的内容类型", "请使用接口文档所列的内容类型和压缩方式。"),
            ("Unsupported media type", "Use a media type and content coding that the API document lists."),
        ),
        ProblemCode::ProtocolUnsupported => (
            ("协议版本不受支持", "请更新应用。尚未发送的内容仍保存在本机。"),
            ("The protocol version is not supported", "Update the app. What is unsent stays on the device."),
        ),
        ProblemCode::Conflict => (
            ("当前状态不允许", "情况已有变化,请刷新后再试。"),
            ("Not possible as things stand", "Things have changed: look again and decide anew."),
        ),
        ProblemCode::SecondPerson => (
            (
                "已记录，还需第二位管理员",
                "七天内由另一位管理员提出同样的操作后生效；只有一位管理员时请在服务器上用命令行操作。",
            ),
            ("Noted: a second administrator is needed", "Another one must ask for the same within seven days."),
        ),
        ProblemCode::TooMany => (
            ("请求过于频繁", "请按 Retry-After 所示时间等待后重试。"),
            ("Too many requests", "Wait as long as Retry-After says, then try again."),
        ),
        ProblemCode::TooSlow => (
            ("传输过慢", "已收到的部分已保存,网络好转后继续。"),
            ("Too slow", "What was received is kept where it can be: go on when the network is better."),
        ),
        ProblemCode::Unavailable => {
            (("暂时不可用", "服务器正忙,请稍后重试。"), ("Not now", "The server is busy: try again in a moment."))
        }
        ProblemCode::Internal => (
            ("服务器内部错误", "没有任何改动。请把 request 编号告诉管理员。"),
            ("The server failed", "Nothing was changed. Tell the administrator the `request` id."),
        ),
    }
}

fn of_identity(code: ProblemCode) -> (Words, Words) {
    match code {
        ProblemCode::WrongPassword => (
            ("用户名或密码不正确", "请检查后重试。多次失败后需要等待更长时间。"),
            ("Wrong login name or password", "Check both and try again. Each failure makes the wait longer."),
        ),
        ProblemCode::WrongCode => (
            ("登记码无效", "登记码不正确、已使用或已过期,请向管理员索取新的登记码。"),
            ("The enrolment code is not good", "It is wrong, used or too old: ask the administrator for a new one."),
        ),
        ProblemCode::RefreshReused => (
            ("登录凭证已被重复使用", "为安全起见该登录已终止,请重新登录。尚未发送的内容仍保存在本机。"),
            (
                "The refresh token was used before",
                "For safety this login has ended: log in again. What is unsent stays on the device.",
            ),
        ),
        ProblemCode::DeviceRevoked => (
            ("设备已被停用", "尚未发送的内容仍可上传,由主管处理;请联系管理员。"),
            (
                "The device is revoked",
                "What is unsent can still be handed in, for a supervisor to release: ask the administrator.",
            ),
        ),
        ProblemCode::Forbidden => {
            (("没有权限", "您的角色不能执行此操作。"), ("Not allowed", "Your role does not allow this."))
        }
        _ => (
            ("需要登录", "请登录,或更新访问令牌后重试。"),
            ("Not logged in", "Log in, or renew the access token, and try again."),
        ),
    }
}

fn of_files(code: ProblemCode) -> (Words, Words) {
    match code {
        ProblemCode::TamperedFile => (
            ("导出文件被改动", "文件内容与手机签名不符，未接收任何内容。请在手机上重新导出。"),
            (
                "The export file was changed",
                "Its contents do not fit the phone's signature. Nothing was taken in: export it again on the phone.",
            ),
        ),
        _ => (
            ("不是本区手机的导出文件", "该文件属于其他系统，或其手机不在您主管的区内；未接收任何内容。"),
            (
                "The file is not from a phone of your districts",
                "It is of another installation, or of a phone in no district that you supervise. Nothing was taken in.",
            ),
        ),
    }
}

fn of_uploads(code: ProblemCode) -> (Words, Words) {
    match code {
        ProblemCode::OffsetMismatch => (
            ("上传位置不一致", "请用 HEAD 查询已收到的字节数,从该处继续。"),
            ("The upload is elsewhere", "Ask with HEAD how many bytes are here and go on from there."),
        ),
        ProblemCode::ChecksumMismatch => (
            ("校验和不一致", "收到的字节与其散列值不符,已丢弃,请用 HEAD 查询后重新上传。"),
            (
                "The checksum does not fit",
                "The bytes do not have their hash and were discarded: ask with HEAD, send again.",
            ),
        ),
        ProblemCode::UploadSuperseded => (
            ("上传已被新的请求接管", "同一照片有更新的上传请求,本请求已停止。"),
            ("A newer request took over", "A newer request uploads the same photo: this one has stopped."),
        ),
        _ => (
            ("存储空间不足", "照片仍保存在本机,请稍后重试;管理员需要清理磁盘。"),
            ("The storage is full", "Keep the photo and try again later; the administrator must free disk space."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, words};
    use crate::language::Language;

    #[test]
    fn every_problem_has_its_own_words_in_both_languages() {
        for language in [Language::Zh, Language::En] {
            let titles: BTreeSet<&str> = ALL.iter().map(|code| words(*code, language).0).collect();
            assert_eq!(titles.len(), ALL.len());
        }
        assert_eq!(ALL.iter().collect::<BTreeSet<_>>().len(), ALL.len());
    }
}
