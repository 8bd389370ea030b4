"""Tables about people: ages, sex, diagnosis, joined to scans."""
