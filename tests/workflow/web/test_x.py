def test_login_page(web):
    response = web.client().get("/login")
    assert response.status_code == 200
    print(response.text, response.headers)
