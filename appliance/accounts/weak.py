"""Passwords that everybody tries first, in lower case.

A short list on purpose: throttling stops long ones (see throttle.py), and these are
what gets tried within it. Those of ten and more characters matter most, as shorter
ones fall to the minimum length unless an operator lowers it.
"""

_TEXT = """
000000000 0000000000 0123456789 0987654321 1111111111 1122334455 1212121212
123123123 1231231231 1234512345 12345678 123456789 1234567890 12345678900
12345678910 123456789a 123456789q 1234567891 1234554321 12344321 123qweasdzxc
1357924680 147258369 1472583690 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx
1qaz2wsx3edc 1qazxsw2 9876543210 a123456789 a1b2c3d4e5 aa12345678 abc123456
abc1234567 abcd123456 abcd1234 abcde12345 abcdefghij admin12345 admin123456
administrator adminadmin asdf123456 asdfasdf asdfghjkl asdfghjkl1 asdfghjkl;
baseball basketball butterfly changeme changeme1 changeme12 changeme123
changemenow chocolate computer correcthorsebatterystaple default123 dragon123
enterprise football football1 helloworld hello12345 iloveyou iloveyou1
iloveyou12 iloveyou123 internet letmein letmein123 letmein1234 letmeinnow
liverpool manchester master123 matinee matinee123 matinee1234 michael1
minecraft monkey123 motdepasse mypassword newpassword nopassword p@ssw0rd
p@ssw0rd1 p@ssw0rd12 p@ssw0rd123 p@ssword p@ssword123 pa55word pa55w0rd
pass123456 pass1234 passpass12 passw0rd passw0rd1 passw0rd12 passw0rd123
password password! password!1 password0 password01 password1 password1!
password10 password11 password12 password12! password123 password123!
password1234 password12345 passwordpassword passwort123 princess princess1
q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc qazwsxedcrfv qwer123456 qwer1234
qwerasdf qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui
qwertyuiop qwertyuiop1 qwertyuiop123 qwertzuiop samsung123 secret123
secret1234 spiderman starwars summer2024 summer2025 summer2026 sunshine
sunshine1 superman superman1 test123456 test1234 testtest12 trustno1
welcome01 welcome1 welcome12 welcome123 welcome1234 welcome2024 welcome2025
welcome2026 whatever winter2024 winter2025 winter2026 zaq12wsx zxcvbnm123
zxcvbnm1 zxcvbnmasdf
"""

MOST_COMMON = frozenset(_TEXT.split())
