//! Personal values as lists show them.

use schema::catalogue::Mask;

/// A value with what its mask hides as `*`. Where so little is left over that it could be guessed, all is hidden.
pub fn masked(mask: Mask, value: &str) -> String {
    let chars: Vec<char> = value.trim().chars().collect();
    let (first, last) = match mask {
        Mask::Whole => (0, 0),
        Mask::Name => (1, 0),
        Mask::Telephone => (3, 4),
        Mask::IdNumber => (3, 2),
    };
    let hidden = chars.len().saturating_sub(first + last);
    let least = if mask == Mask::Name { 1 } else { 4 };
    let (first, last) = if hidden < least { (0, 0) } else { (first, last) };
    let hides = |n: usize| n >= first && n < chars.len().saturating_sub(last);
    let text: String = chars.iter().enumerate().map(|(n, char)| if hides(n) { '*' } else { *char }).collect();
    if mask == Mask::Whole || text.is_empty() { "***".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::masked;
    use schema::catalogue::Mask;

    #[test]
    fn lists_show_enough_to_recognize_and_too_little_to_use() {
        assert_eq!(masked(Mask::Telephone, "13812341234"), "138****1234");
        assert_eq!(masked(Mask::Telephone, " 1381234 "), "*******");
        assert_eq!(masked(Mask::IdNumber, "110101199001011234"), "110*************34");
        assert_eq!(masked(Mask::Name, "欧阳小明"), "欧***");
        assert_eq!(masked(Mask::Name, "李"), "*");
        assert_eq!(masked(Mask::Whole, "东门口 12 号"), "***");
        assert_eq!(masked(Mask::Name, ""), "***");
    }
}
